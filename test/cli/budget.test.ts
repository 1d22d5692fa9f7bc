// Limits of `episcope run` on this host: in a bare leaf where it lets us make one, and in the process tree.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findCgroup2Mount } from '../../src/host/index.js';
import { readRecording } from '../../src/recorder/index.js';
import { alive, cli, measure, startCli, tempFile, until } from '../support/cli.js';
import { ENGINES } from '../support/engines.js';
import { Leaf } from '../support/leaf.js';

const slice = `${findCgroup2Mount()}/episcope.slice`;
const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`no cgroup can be made here (${noLeaf}): the leaf is left out`);
const TIERS = noLeaf === null ? ['auto', 'proc'] : ['proc'];

const BURN = ['sh', '-c', 'while :; do :; done'];
const ALLOCATE = [
  process.execPath,
  '-e',
  'const kept = []; setInterval(() => kept.push(Buffer.alloc(4 << 20, 1)), 10)',
];

interface ExhaustedJson {
  readonly resource: string;
  readonly limit: number;
  readonly consumed: number;
  readonly over: number;
  readonly after_ns: number;
  readonly late_ns: number | null;
  readonly seq: number;
  readonly action: string | null;
}

let ids = 0;
const newId = (): string => `budget-test-${process.pid}-${ids++}`;

function leftovers(id: string): string[] {
  return existsSync(slice) ? readdirSync(slice).filter((name) => name.includes(id)) : [];
}

async function run(options: readonly string[], command: readonly string[]) {
  const id = newId();
  const result = await measure(['--id', id, ...options, '--', ...command]);
  expect(leftovers(id)).toEqual([]);
  return { ...result, exhausted: result.summary.exhausted as ExhaustedJson | null };
}

describe.each(ENGINES.flatMap((engine) => TIERS.map((tier) => [engine, tier] as const)))(
  'a limit, engine %s, tier %s',
  (engine, tier) => {
    const where = ['--engine', engine, '--tier', tier, '--period', '20'];

    test('of cpu: killed is 137, and the summary says which, when and by how much', async () => {
      const { code, stderr, summary, exhausted } = await run([...where, '--cpu-ms', '200'], BURN);
      expect(code).toBe(137);
      expect(summary.signal).toBe('SIGKILL');
      expect(exhausted).toEqual({
        resource: 'cpu_ms',
        limit: 200,
        consumed: expect.any(Number),
        over: Math.round((exhausted!.consumed - 200) * 1e6) / 1e6,
        after_ns: expect.any(Number),
        late_ns: expect.any(Number),
        seq: expect.any(Number),
        action: 'kill',
      });
      expect(exhausted!.consumed).toBeGreaterThanOrEqual(200);
      expect(summary.cpu_ns).toBeGreaterThanOrEqual(Math.round(exhausted!.consumed * 1e6));
      expect(exhausted!.after_ns).toBeLessThan(summary.wall_ns as number);
      expect(stderr).toMatch(/^ {2}budget {5}cpu .* of 200\.0 ms at .*noticed within .*: killed$/m);
    });

    test('of wall time: what sleeps is killed', async () => {
      const { code, exhausted } = await run([...where, '--wall-ms', '0.3s'], ['sleep', '600']);
      expect(code).toBe(137);
      expect(exhausted).toMatchObject({ resource: 'wall_ms', limit: 300, action: 'kill' });
    });

    test('of memory, which the kernel does not enforce here: checked with every frame', async () => {
      const { code, summary, exhausted } = await run([...where, '--memory-max', '120M'], ALLOCATE);
      expect(code).toBe(137);
      expect(exhausted).toMatchObject({
        resource: 'memory_bytes',
        limit: 120 << 20,
        action: 'kill',
      });
      expect(exhausted!.consumed).toBeGreaterThanOrEqual(120 << 20);
      expect(summary.degraded_reason).toContain('--memory-max is checked with every sample');
    });

    test('stop: the command goes on to its own end, and the figures say where they end', async () => {
      const script = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; exit 5';
      const options = [...where, '--cpu-ms', '30', '--on-exhausted', 'stop'];
      const { code, stderr, exhausted } = await run(options, ['sh', '-c', script]);
      expect(code).toBe(5);
      expect(exhausted).toMatchObject({ resource: 'cpu_ms', action: 'stop' });
      expect(stderr).toMatch(/: no longer measured; the figures end there, after /);
    });

    test('that is not reached says what was used of it', async () => {
      const options = [...where, '--cpu-ms', '1h', '--io-bytes', '1T'];
      const { code, stderr, exhausted } = await run(options, ['true']);
      expect(code).toBe(0);
      expect(exhausted).toBe(null);
      expect(stderr).toMatch(/^ {2}budget {5}cpu .* of 1 h 00 min 00 s, io .* of 1\.0 TiB$/m);
    });

    test('a killed run is recorded whole', async () => {
      const file = tempFile('frames.ndjson');
      const options = [...where, '--cpu-ms', '200', '--record', file];
      const { summary, exhausted } = await run(options, BURN);
      const recording = readRecording(file);
      const seqs: number[] = [];
      for await (const { seq } of recording) seqs.push(seq);
      rmSync(file);
      expect(seqs).toEqual(Array.from({ length: summary.frames }, (_, seq) => seq));
      expect(recording.header).toMatchObject({ budget: { cpuMs: 200 }, onExhausted: 'kill' });
      expect(recording.end).toMatchObject({
        reason: 'exhausted',
        exhausted: { resource: 'cpuMs', consumed: exhausted!.consumed, action: 'kill' },
        totals: { cpuNs: summary.cpu_ns },
      });
    });
  },
);

test('a limit of io: the writer is killed', async () => {
  const file = tempFile('written');
  const script = `while :; do dd if=/dev/zero of=${file} bs=64k count=16 2>/dev/null; rm ${file}; done`;
  const { code, exhausted } = await run(
    ['--io-bytes', '8M', '--period', '5'],
    ['sh', '-c', script],
  );
  rmSync(file, { force: true });
  expect(code).toBe(137);
  expect(exhausted).toMatchObject({ resource: 'io_bytes', limit: 8 << 20, action: 'kill' });
});

test('freeze without a cgroup: a warning, and the command goes on unmeasured', async () => {
  const options = ['--tier', 'proc', '--wall-ms', '50', '--on-exhausted', 'freeze'];
  const { code, stderr, exhausted } = await run(options, ['sh', '-c', 'sleep 0.3; exit 6']);
  expect(code).toBe(6);
  expect(exhausted).toMatchObject({ resource: 'wall_ms', action: 'stop' });
  expect(stderr).toMatch(/^ {2}warning {4}.*cannot be frozen \(it has no cgroup\)/m);
});

describe.skipIf(noLeaf !== null)('a frozen command', () => {
  const burn = 'while [ ! -e "$0" ]; do :; done; exit 4';

  async function frozen(id: string, engine: string) {
    const flag = tempFile('go-on');
    const options = ['run', '--id', id, '--engine', engine, '--cpu-ms', '100'];
    const running = startCli([
      ...options,
      '--on-exhausted',
      'freeze',
      '--',
      'sh',
      '-c',
      burn,
      flag,
    ]);
    let stderr = '';
    running.child.stderr!.on('data', (chunk: Buffer) => {
      stderr += String(chunk);
    });
    const told = await until('the word that it is frozen', () =>
      /episcope: (\S+) is frozen .*echo 0 > (\S+)\/cgroup\.freeze;/.exec(stderr),
    );
    expect(told[1]).toBe(id);
    const scope = told[2]!;
    expect(readFileSync(`${scope}/cgroup.events`, 'utf8')).toContain('frozen 1');
    return { running, scope, flag };
  }

  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s kills it: 137, and nothing is left',
    async (signal) => {
      const id = newId();
      const { running, scope } = await frozen(id, 'auto');
      const pids = readFileSync(`${scope}/cgroup.procs`, 'utf8').trim().split('\n').map(Number);
      running.child.kill(signal);
      expect((await running.done).code).toBe(137);
      expect(pids.some(alive)).toBe(false);
      expect(leftovers(id)).toEqual([]);
    },
  );

  test.each(ENGINES)('thawed from outside it goes on to its own end, engine %s', async (engine) => {
    const { running, scope, flag } = await frozen(newId(), engine);
    writeFileSync(flag, '');
    writeFileSync(`${scope}/cgroup.freeze`, '0');
    expect((await running.done).code).toBe(4);
    rmSync(flag);
  });
});

test('--help tells of limits, their units and what is done', async () => {
  const { stdout } = await cli(['run', '--help']);
  for (const word of ['--cpu-ms TIME', '--memory-max SIZE', '--on-exhausted', '137', '512M']) {
    expect(String(stdout)).toContain(word);
  }
});
