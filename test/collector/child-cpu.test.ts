/**
 * The README's first pattern: a child of our own, a session, the end. The kernel tells a parent what its child used,
 * however long the period is; the JS engine cannot ask. Both say that it may be more: who was daemonized before a sample
 * saw it is known to nobody.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import {
  isCgroupV2Available,
  type StartOptions,
  spawnInScope,
  TelemetryCollector,
  type TelemetryFrame,
} from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { until } from './waiting.js';

/** Burns, in itself or in a child that it waits for, and tells what that was (`times` of bash). */
const BURN = 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done';
const PATTERNS = {
  itself: `${BURN}; times`,
  'a child of its own': `bash -c '${BURN}; exit 0'; times`,
} as const;

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

function bash(script: string): ChildProcess {
  const child = spawn('bash', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  return child;
}

/** Own and children's time, user and system, in ms. */
async function toldMs(child: ChildProcess): Promise<number> {
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += String(chunk);
  });
  await once(child, 'close');
  const times = [...text.matchAll(/(\d+)m([\d.]+)s/g)];
  return times.reduce((sum, [, min, s]) => sum + Number(min) * 60_000 + Number(s) * 1000, 0);
}

let sessions = 0;
const id = () => `child-cpu-${process.pid}-${sessions++}`;

/** By the period that nobody chose, which is longer than the child lives. */
function startOn(engine: 'native' | 'js', child: ChildProcess, options: StartOptions = {}) {
  const collector = new TelemetryCollector(undefined, { engine });
  return collector.start(id(), child.pid!, { tier: 'proc', ...options });
}

const quality = ({ quality: { cpu } }: TelemetryFrame) => [...cpu];

describe.runIf(ENGINES.includes('native'))('on the native engine', () => {
  test.each(Object.entries(PATTERNS))(
    'all that %s used is in the last frame',
    async (_, script) => {
      for (let run = 0; run < 5; run += 1) {
        const child = bash(script);
        const handle = startOn('native', child);
        const told = toldMs(child);
        await once(child, 'exit');
        const frames = await handle.stop();
        const last = frames.at(-1)!;
        expect(quality(last)).toEqual(['lowerBound']);
        // `times` tells whole ms, and bash ends after that.
        expect(last.cpuMs).toBeGreaterThanOrEqual((await told) - 4);
        expect(last.cpuMs).toBeLessThan((await told) + 50);
      }
    },
  );

  test('a session that starts late has the whole life too', async () => {
    const child = bash(`${BURN}; echo; read go; times`);
    await once(child.stdout!, 'data');
    const handle = startOn('native', child);
    const told = toldMs(child);
    child.stdin!.end('\n');
    await once(child, 'exit');
    const last = (await handle.stop()).at(-1)!;
    expect(quality(last)).toEqual(['lowerBound']);
    expect(last.cpuMs).toBeGreaterThanOrEqual((await told) - 4);
  });

  test('so it is for many that end at once, and where nobody calls stop()', async () => {
    const runs = Array.from({ length: 12 }, async () => {
      const child = bash(`read go; ${BURN}; times`);
      const handle = startOn('native', child);
      const told = toldMs(child);
      const stopped = once(handle, 'stopped');
      child.stdin!.end('\n');
      const [{ frame }] = (await stopped) as [{ frame: TelemetryFrame }];
      return { frame, told: await told };
    });
    const ends = await Promise.all(runs);
    // One that dies in the microseconds between the question and another's reaping is reaped unasked, and says so.
    const asked = ends.filter(({ frame }) => !frame.quality.cpu.has('stale'));
    expect(asked.length).toBeGreaterThanOrEqual(ends.length - 3);
    for (const { frame, told } of asked) {
      expect(quality(frame)).toEqual(['lowerBound']);
      expect(frame.cpuMs).toBeGreaterThanOrEqual(told - 4);
    }
  });

  test('a manual session has it in its last frame', async () => {
    const child = bash(`${BURN}; times`);
    const handle = startOn('native', child, { manual: true });
    const told = toldMs(child);
    await once(child, 'exit');
    const last = (await handle.stop()).at(-1)!;
    expect(quality(last)).toEqual(['lowerBound']);
    expect(last.cpuMs).toBeGreaterThanOrEqual((await told) - 4);
  });

  test('with a member that outlives the command it is a lower bound', async () => {
    const child = bash('sleep 60 & echo $!; read go');
    const sleeper = Number(await firstLine(child));
    const handle = startOn('native', child);
    try {
      await until(async () => (await handle.sampleNow()).pids === 2);
      child.stdin!.end('\n');
      await once(child, 'exit');
      expect(handle.latest()?.o11yFlags.terminal).toBe(false);
    } finally {
      process.kill(sleeper, 'SIGKILL');
    }
    const last = (await handle.stop()).at(-1)!;
    expect(quality(last)).toContain('lowerBound');
    expect(quality(last)).not.toContain('final');
  });

  test.runIf(isCgroupV2Available())(
    'a scope that is removed at once does not lose it',
    async () => {
      const name = id();
      const collector = new TelemetryCollector(undefined, { engine: 'native' });
      let handle = null as ReturnType<typeof startOn> | null;
      const { child, scope } = await spawnInScope('bash', ['-c', PATTERNS['a child of its own']], {
        id: name,
        strategy: 'direct',
        stdio: ['ignore', 'pipe', 'inherit'],
        beforeExec: (made, held) => {
          handle = collector.start(name, held.pid!, { cgroupPath: made.cgroupPath });
        },
      });
      const told = toldMs(child);
      await once(child, 'exit');
      await scope.remove({ kill: true });
      const last = (await handle!.stop()).at(-1)!;
      expect(quality(last)).not.toContain('stale');
      expect(last.cpuMs).toBeGreaterThanOrEqual((await told) - 4);
    },
  );
});

test('the JS engine says that it may be more', async () => {
  // It burns when the worker is there: a zombie that the first look finds tells all that it used.
  const child = bash(`read go; ${BURN}`);
  const handle = startOn('js', child);
  child.stdin!.end('\n');
  await once(child, 'exit');
  expect(quality((await handle.stop()).at(-1)!)).toContain('lowerBound');
});

async function firstLine(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer];
  return String(chunk).trim();
}
