// What the samplers of both engines promise to the thread that starts an episode.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_THRESHOLD } from '../../src/budget/watch.js';
import type { BudgetSpec, SamplingSpec } from '../../src/engine/engine.js';
import { selectEngine } from '../../src/engine/select.js';
import { BudgetWord, RESOURCES } from '../../src/schema/enumerations.js';
import {
  FrameFlag,
  FrameWord,
  MetaShift,
  RingHeader,
  RingWriterKind,
  SourceCode,
} from '../../src/schema/layout.js';
import { startBurner } from '../support/burner.js';
import { ENGINES } from '../support/engines.js';
import { Leaf } from '../support/leaf.js';
import { statField, until } from './child.js';
import { block, LiveCgroup, Sampling, slotOf, speedUpAndNotify } from './sampling.js';

const { INITIAL, TERMINAL, HIGH_FREQUENCY, PROMOTED } = FrameFlag;
const NEVER_MS = 3_600_000;

async function startSleep(): Promise<{ pid: number; kill: () => Promise<void> }> {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return { pid: child.pid!, kill };
}

async function gonePid(): Promise<number> {
  const { pid, kill } = await startSleep();
  await kill();
  return pid;
}

describe.each(ENGINES)('an episode of the sampler, engine %s', (name) => {
  const engine = selectEngine(name);

  it('has its initial frame before the start returns', async () => {
    const sampling = new Sampling(engine, { periodMs: NEVER_MS });
    expect(sampling.atStart.map(({ seq, flags }) => ({ seq, flags }))).toEqual([
      { seq: 0, flags: INITIAL | FrameFlag.DEGRADED },
    ]);
    expect(sampling.news).toEqual([]);
    await sampling.end();
  });

  it('says in its ring who writes it', async () => {
    const sampling = new Sampling(engine);
    const writer = name === 'native' ? RingWriterKind.NATIVE : RingWriterKind.JS;
    expect(sampling.header(RingHeader.WRITER)).toBe(writer);
    await sampling.end();
  });

  it('is sampled while the event loop of its owner is blocked', async () => {
    const sampling = new Sampling(engine);
    block(() => sampling.head >= 20);
    await sampling.end();
  });

  it('has absolute deadlines: each frame serves one of its own, and the others are counted', async () => {
    const sampling = new Sampling(engine);
    await until(() => sampling.head >= 60);
    await sampling.end();
    const slots = sampling.slots();
    const { periodNs } = sampling.spec;
    const slack = periodNs / 64n;
    const deadlines = slots.map(({ tsMono }) =>
      Number((tsMono + slack - sampling.startMonoNs) / periodNs),
    );
    const served = deadlines.slice(1, -1);
    expect(served.every((deadline, i) => i === 0 || deadline > served[i - 1]!)).toBe(true);
    const counted = served.length + sampling.header(RingHeader.DEADLINES_MISSED);
    expect(counted).toBeGreaterThanOrEqual(served.at(-1)!);
    expect(counted).toBeLessThanOrEqual(deadlines.at(-1)!);
  });

  it('deadlines before its initial frame are missed', async () => {
    const sampling = new Sampling(engine, { periodMs: 1000, startedMsAgo: 20_500 });
    const { startMonoNs, spec } = sampling;
    const passedBy = (nowNs: bigint): number => Number((nowNs - startMonoNs) / spec.periodNs);
    const missed = sampling.header(RingHeader.DEADLINES_MISSED);
    expect(missed).toBeGreaterThanOrEqual(passedBy(sampling.atStart[0]!.tsMono));
    expect(missed).toBeLessThanOrEqual(passedBy(process.hrtime.bigint()));
    await sampling.end();
  });

  it('another period takes effect without waiting for the old one', async () => {
    const sampling = new Sampling(engine, { periodMs: NEVER_MS });
    const { fastPeriodNs } = sampling.spec;
    sampling.episode.setPeriod(5_000_000n, fastPeriodNs);
    await until(() => sampling.head >= 5);
    sampling.episode.setPeriod(1_000_000n, fastPeriodNs);
    await until(() => sampling.head >= 50);
    await sampling.end();
  });

  it('ends when it is asked to: one terminal frame, not an exit, and nothing after', async () => {
    const sampling = new Sampling(engine, { periodMs: 1 });
    sampling.episode.requestEnd();
    sampling.episode.requestEnd();
    await sampling.over();
    expect(sampling.ended).toEqual({ exited: false, failure: null });
    expect(sampling.ringEnded).toBe(true);
    const { head } = sampling;
    const told = sampling.news.length;
    sampling.episode.requestEnd();
    sampling.episode.requestFrame(1, 0);
    sampling.episode.setPeriod(1_000_000n, 1_000_000n);
    // Another episode's frames show that the sampler went on.
    const other = new Sampling(engine, { periodMs: 1 });
    await until(() => other.head >= 10);
    await other.end();
    expect(sampling.head).toBe(head);
    expect(sampling.news).toHaveLength(told);
    expect(sampling.news.filter(({ ended }) => ended !== null)).toHaveLength(1);
    const flags = sampling.slots().map((slot) => slot.flags & (INITIAL | TERMINAL));
    expect(flags.filter((flag) => flag === INITIAL)).toHaveLength(1);
    expect(flags.filter((flag) => flag === TERMINAL)).toHaveLength(1);
    expect(flags.at(-1)).toBe(TERMINAL);
  });

  it('ends when its process ends: one terminal frame, an exit', async () => {
    const { pid, kill } = await startSleep();
    const sampling = new Sampling(engine, { pid });
    await until(() => sampling.head >= 3);
    await kill();
    await sampling.over();
    expect(sampling.ended).toEqual({ exited: true, failure: null });
    expect(sampling.ringEnded).toBe(true);
    const terminals = sampling.slots().filter(({ flags }) => (flags & TERMINAL) !== 0);
    expect(terminals.map(({ seq }) => seq)).toEqual([sampling.head - 1]);
  });

  it('a frame on request is the answer, flagged as asked', async () => {
    const sampling = new Sampling(engine, { periodMs: NEVER_MS });
    sampling.episode.requestFrame(11, PROMOTED);
    sampling.episode.requestFrame(12, INITIAL | TERMINAL);
    await until(() => sampling.replies.length === 2);
    const slots = sampling.slots();
    for (const { request, words } of sampling.replies) {
      const { seq, flags } = slotOf(words);
      expect(seq).toBe(request - 10);
      expect(flags & ~FrameFlag.DEGRADED).toBe(request === 11 ? PROMOTED : 0);
      // As it is in the ring, but for the stamp.
      expect(words.subarray(1)).toEqual(slots[seq]!.words.subarray(1));
    }
    await sampling.end();
  });

  it('a request that comes after the end is answered by the terminal frame', async () => {
    const { pid } = await startSleep();
    const sampling = new Sampling(engine, { pid, periodMs: NEVER_MS });
    // Without a turn of the loop, so that nobody can have been told of the end.
    process.kill(pid, 'SIGKILL');
    block(() => statField(pid, 3) === 'Z');
    sampling.episode.requestFrame(1, 0);
    sampling.episode.requestEnd();
    block(() => sampling.ringEnded);
    sampling.episode.requestFrame(2, 0);
    await sampling.over();
    expect(sampling.ended!.exited).toBe(true);
    const terminal = sampling.head - 1;
    expect(sampling.replies.map(({ request, words }) => [request, slotOf(words).seq])).toEqual([
      [1, terminal],
      [2, terminal],
    ]);
    expect(slotOf(sampling.replies[0]!.words).flags & TERMINAL).toBe(TERMINAL);
  });

  it('news of a blocked owner is told once for all, whatever happened meanwhile', async () => {
    const sampling = new Sampling(engine, { periodMs: 1, notifyEvery: 1 });
    block(() => sampling.head >= 200);
    sampling.episode.requestEnd();
    block(() => sampling.ringEnded);
    await sampling.over();
    // What was under way when the loop was blocked, and the rest.
    expect(sampling.news.length).toBeLessThanOrEqual(2);
    expect(sampling.news[0]!.frames).toBe(true);
  });

  it('tells of frames where that was asked for, and else of nothing ordinary', async () => {
    const quiet = new Sampling(engine);
    const sampling = new Sampling(engine, { notifyEvery: 1 });
    await until(() => sampling.news.filter(({ frames }) => frames).length >= 3);
    await until(() => quiet.head >= 10);
    expect(quiet.news).toEqual([]);
    await sampling.end();
    await quiet.end();
  });

  it('a hundred at once have a sampler in common', async () => {
    const samplings = Array.from({ length: 100 }, () => new Sampling(engine, { periodMs: 20 }));
    block(() => samplings.every(({ head }) => head >= 5));
    await Promise.all(samplings.map((sampling) => sampling.end()));
  });
});

describe.each(ENGINES)('a cgroup in the hands of the sampler, engine %s', (name) => {
  const engine = selectEngine(name);
  let cgroup: LiveCgroup;

  beforeEach(() => {
    cgroup = new LiveCgroup();
  });
  afterEach(() => cgroup.remove());

  const raise = {
    cpuNs: () => cgroup.cpu({ usage: 5_000_000, user: 0, system: 0 }),
    ioBytes: () => cgroup.io({ read: 2_000_000_000, write: 3_000_000_000 }),
    memRssBytes: () => cgroup.memory({ anon: 5_000_000_000, current: 1, peak: 1 }),
  };

  it.each(['cpuNs', 'ioBytes', 'memRssBytes'] as const)(
    'a tripwire on %s speeds it up and is told, while its owner is blocked',
    async (metric) => {
      const sampling = new Sampling(engine, {
        periodMs: 20,
        fastPeriodMs: 1,
        cgroup: cgroup.spec,
        tripwires: [speedUpAndNotify(metric, 5_000_000_000n)],
      });
      block(() => sampling.head >= 3);
      raise[metric]();
      const isFast = ({ flags }: { flags: number }): boolean => (flags & HIGH_FREQUENCY) !== 0;
      block(() => sampling.slots().filter(isFast).length >= 10);
      await until(() => sampling.trips.length > 0);
      const [trip] = sampling.trips;
      const slots = sampling.slots();
      const first = slots.find(isFast)!;
      expect(trip).toEqual({ index: 0, value: 5_000_000_000n, seq: first.seq });
      // Deadlines of the shorter period. The one after the trip may be due at once, and then has passed already.
      const fastNs = sampling.spec.fastPeriodNs;
      const deadlines = slots
        .filter(isFast)
        .slice(1)
        .map(({ tsMono }) => Number((tsMono + fastNs / 64n - sampling.startMonoNs) / fastNs));
      expect(deadlines.every((deadline, i) => i === 0 || deadline > deadlines[i - 1]!)).toBe(true);
      await sampling.end();
      expect(sampling.trips).toHaveLength(1);
    },
  );

  it('a tripwire is released below its lower bound, and frames are as before', async () => {
    const tripwire = { ...speedUpAndNotify('memRssBytes', 100n), release: 50n };
    const sampling = new Sampling(engine, {
      periodMs: NEVER_MS,
      cgroup: cgroup.spec,
      tripwires: [],
    });
    const fastFrame = async (anon: number): Promise<boolean> => {
      cgroup.memory({ anon, current: 1, peak: 1 });
      const request = sampling.replies.length;
      sampling.episode.requestFrame(request, 0);
      await until(() => sampling.replies.length > request);
      return (slotOf(sampling.replies[request]!.words).flags & HIGH_FREQUENCY) !== 0;
    };
    expect(await fastFrame(100)).toBe(false);
    sampling.episode.setTripwires([tripwire]);
    expect(await fastFrame(100)).toBe(true);
    expect(await fastFrame(50)).toBe(true);
    expect(await fastFrame(49)).toBe(false);
    expect(await fastFrame(99)).toBe(false);
    await sampling.end();
    expect(sampling.trips.map(({ value }) => value)).toEqual([100n]);
  });

  it('a source that changes is told with its frame', async () => {
    const sampling = new Sampling(engine, { cgroup: cgroup.spec });
    cgroup.delete('cpu.stat');
    await until(() => sampling.news.some(({ sources }) => sources.length > 0));
    const [change] = sampling.news.flatMap(({ sources }) => sources);
    const slot = sampling.slots()[change!.seq]!;
    expect(change!.meta).toBe(slot.meta);
    expect((slot.meta >> MetaShift.SOURCE_CPU) & 3).toBe(SourceCode.PROC);
    await sampling.end();
  });

  it('a file that cannot be read is a warning, once', async () => {
    const sampling = new Sampling(engine, { cgroup: cgroup.spec });
    cgroup.write('io.stat', '254:0 rbytes=x\n');
    await until(() => sampling.news.some(({ warnings }) => warnings.length > 0));
    const seq = sampling.head;
    await until(() => sampling.head >= seq + 10);
    await sampling.end();
    const warnings = sampling.news.flatMap((news) => news.warnings);
    expect(warnings.map(({ part, failure }) => [part, failure.code, failure.file])).toEqual([
      [2, 'ERR_CGROUP_PARSE', 'io.stat'],
    ]);
  });

  it('a cgroup that is empty has ended: its last counters are final', async () => {
    const { pid, kill } = await startSleep();
    const sampling = new Sampling(engine, { pid, cgroup: cgroup.spec });
    await until(() => sampling.head >= 3);
    await kill();
    cgroup.cpu({ usage: 777, user: 1, system: 1 });
    cgroup.write('cgroup.events', 'populated 0\nfrozen 0\n');
    await sampling.over();
    expect(sampling.ended!.exited).toBe(true);
    expect(sampling.slots().at(-1)!.words[FrameWord.CPU_NS]).toBe(777_000n);
  });

  it.each<[code: string, spec: () => Promise<Partial<SamplingSpec>>]>([
    ['ERR_PROC_GONE', async () => ({ pid: await gonePid() })],
    [
      'ERR_INVALID_PID',
      async () => ({
        pid: readdirSync('/proc/self/task')
          .map(Number)
          .find((tid) => tid !== process.pid)!,
      }),
    ],
    ['ERR_CGROUP_NOT_FOUND', async () => ({ cgroup: { ...cgroup.spec, path: 'none' } })],
    ['ERR_CGROUP_PATH', async () => ({ cgroup: { ...cgroup.spec, path: '../x' } })],
    ['ERR_NOT_CGROUP2', async () => ({ cgroup: { ...cgroup.spec, requireCgroupfs: true } })],
  ])('what cannot be opened is thrown at once: %s', async (code, spec) => {
    const options = await spec();
    expect(() => new Sampling(engine, options)).toThrow(expect.objectContaining({ code }));
  });

  it('a ring that is none is thrown at once', async () => {
    const sampling = new Sampling(engine);
    const spec = { ...sampling.spec, ring: new SharedArrayBuffer(4096) };
    const code = 'ERR_RING_CORRUPT';
    expect(() => engine.startEpisode(spec, () => {})).toThrow(expect.objectContaining({ code }));
    expect(() => engine.openEpisode(spec)).toThrow(expect.objectContaining({ code }));
    await sampling.end();
  });

  it('a budget that is none is thrown at once, and is no corrupt ring', () => {
    const memory = new SharedArrayBuffer(BudgetWord.WORDS * 8);
    const amounts = RESOURCES.map(() => NO_THRESHOLD);
    const budget: BudgetSpec = {
      memory,
      speedUp: false,
      baseline: 'zero',
      thresholds: amounts,
      releases: amounts,
    };
    expect(() => new Sampling(engine, { budget })).toThrow(
      expect.objectContaining({
        code: 'ERR_INVALID_CONFIG',
        message: 'this is no shared budget of this version',
      }),
    );
  });
});

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`no cgroup can be made here (${noLeaf}): its cases are left out`);

describe.skipIf(noLeaf !== null).each(ENGINES)('a real cgroup, engine %s', (name) => {
  it('its end is seen long before the next deadline, with all it used', async () => {
    const leaf = Leaf.make(`sampler-${name}`);
    const burn = startBurner(['--ms', '50'], leaf.procs);
    try {
      await until(() => readFileSync(leaf.procs, 'utf8').trim() === String(burn.pid));
      const sampling = new Sampling(selectEngine(name), {
        pid: burn.pid,
        periodMs: NEVER_MS,
        cgroup: { root: leaf.path, path: '', requireCgroupfs: true },
      });
      burn.begin();
      await sampling.over();
      expect(sampling.ended!.exited).toBe(true);
      const [initial, terminal] = sampling.slots();
      expect(initial!.flags & INITIAL).toBe(INITIAL);
      expect(terminal!.flags & TERMINAL).toBe(TERMINAL);
      expect(Number(terminal!.words[FrameWord.CPU_NS])).toBe(leaf.usageNs());
      await burn.rusageNs;
    } finally {
      await leaf.remove();
    }
  });
});
