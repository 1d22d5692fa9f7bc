import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findCgroup2Mount } from '../../src/host/index.js';
import {
  alive,
  CLI,
  cli,
  INSTALLS,
  measure,
  type SummaryJson,
  startCli,
  tempFile,
  until,
} from '../support/cli.js';
import { ENGINES } from '../support/engines.js';
import { Leaf } from '../support/leaf.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`runs in cgroups within cgroups are not tested here: ${noLeaf}`);

const TIERS = noLeaf === null ? (['auto', 'proc'] as const) : (['proc'] as const);
const PAIRS = TIERS.flatMap((outer) => TIERS.map((inner) => ({ outer, inner })));
const RUN = [process.execPath, CLI, 'run', '--quiet'];
const BURN = `while (process.cpuUsage().user + process.cpuUsage().system < 400_000);`;

const ENGINES_OF = { 'with the addon': ENGINES, 'without the addon': ['js'] } as const;

describe.each(INSTALLS)('a run within a run, $name', ({ name, env }) => {
  test.each(PAIRS)(
    'is counted by the outer one: outer $outer, inner $inner',
    async ({ outer, inner }) => {
      const file = tempFile('inner.json');
      const { summary } = await measure(
        [
          '--tier',
          outer,
          '--period',
          '20',
          ...RUN,
          '--tier',
          inner,
          '--json',
          file,
          process.execPath,
          '-e',
          BURN,
        ],
        { env },
      );
      const within = JSON.parse(readFileSync(file, 'utf8')) as SummaryJson;
      rmSync(file);
      expect(within.cpu_ns).toBeGreaterThan(300_000_000);
      // And the inner node itself, which takes more than the tree's ticks can miss.
      expect(summary.cpu_ns).toBeGreaterThan(within.cpu_ns ?? 0);
    },
  );

  test.each(PAIRS)(
    'is limited and ended by it: outer $outer, inner $inner',
    async ({ outer, inner }) => {
      const loop = 'echo $$; while :; do :; done';
      const { code, stdout, summary } = await measure(
        [
          '--tier',
          outer,
          '--period',
          '20',
          '--cpu-ms',
          '1s',
          ...RUN,
          '--tier',
          inner,
          'sh',
          '-c',
          loop,
        ],
        { env },
      );
      const pid = Number(String(stdout));
      try {
        expect({ code, exhausted: summary.exhausted }).toMatchObject({
          code: 137,
          exhausted: { resource: 'cpu_ms', action: 'kill' },
        });
        await until('the end of the inner command', () => !alive(pid));
      } finally {
        if (alive(pid)) process.kill(pid, 'SIGKILL');
      }
    },
  );

  test.skipIf(noLeaf !== null)(
    'what it leaves when it is SIGKILLed is found from outside',
    async () => {
      const id = `outer-${name === 'with the addon' ? 'native' : 'js'}-${process.pid}`;
      // The inner one dies, and its command and the outer one live on.
      const script = `"$@" & inner=$!; read go; kill -KILL $inner; wait $inner; echo killed; sleep 600`;
      const inner = [...RUN, '--id', id, 'sh', '-c', 'echo "command $$"; exec sleep 600'];
      const outer = startCli(['run', '--id', id, 'sh', '-c', script, 'sh', ...inner], {
        env,
        keepStdin: true,
      });
      try {
        const [, pid] = await outer.saw(/command (\d+)/);
        const scope = `${findCgroup2Mount()}/episcope.slice/episode-${id}.scope`;
        const within = `${scope}/episcope.slice/episode-${id}.scope`;
        expect(existsSync(within)).toBe(true);
        outer.child.stdin?.end('go\n');
        await outer.saw(/killed/);
        const told = await cli(['doctor', '--json'], { env });
        expect(String(told.stdout)).toContain(within);
        expect((await cli(['doctor', '--clean'], { env })).code).toBe(0);
        await until('the end of the command', () => !alive(Number(pid)));
        expect(existsSync(within)).toBe(false);
        expect(existsSync(scope)).toBe(true);
      } finally {
        outer.child.kill('SIGTERM');
        await outer.done;
      }
    },
  );

  test.skipIf(noLeaf !== null).each(ENGINES_OF[name])(
    'scopes made within are found within first, engine %s',
    async (engine) => {
      const script = fileURLToPath(new URL('./nested-scopes.mjs', import.meta.url));
      const id = `nested-${process.pid}`;
      const { stdout, stderr } = await cli(
        ['run', '--quiet', '--id', id, process.execPath, script, engine, id],
        { env },
      );
      expect(JSON.parse(String(stdout) || stderr)).toEqual({
        beneath: true,
        strategy: 'direct-write',
        reads: true,
        sources: 'cgroup',
        refusal: {
          code: 'ERR_SCOPE_CREATE',
          message: expect.stringMatching(/would lie beside .*, in which this process lives/),
        },
        left: false,
        leftSlice: false,
      });
    },
  );
});
