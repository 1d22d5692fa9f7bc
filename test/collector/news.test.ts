import { describe, expect, it } from 'vitest';
import { NO_THRESHOLD } from '../../src/budget/watch.js';
import { SampledSession } from '../../src/collector/sampled-session.js';
import type { SamplerNews, SamplingSpec } from '../../src/engine/engine.js';
import { jsEngine } from '../../src/engine/js/engine.js';
import {
  BudgetTracker,
  type FrameSink,
  PromoteTriggers,
  TelemetryPolicy,
} from '../../src/index.js';
import { RingWriter } from '../../src/ring/writer.js';
import { FRAME_WORDS, FrameFlag, FrameWord } from '../../src/schema/layout.js';

const QUIET: SamplerNews = {
  frames: false,
  sources: [],
  warnings: [],
  trips: [],
  budgetTrips: [],
  exhausted: null,
  failedActions: [],
  replies: [],
  ended: null,
};

/** A slot whose cpu comes from a cgroup. */
function words(cpuNs: bigint, flags = 0): BigUint64Array {
  const slot = new BigUint64Array(FRAME_WORDS);
  slot[FrameWord.VALID] = 1n << BigInt(FrameWord.CPU_NS);
  slot[FrameWord.META] = BigInt(flags | (1 << 8));
  slot[FrameWord.CPU_NS] = cpuNs;
  return slot;
}

/** A session whose sampler is the test. */
function start(
  budget: BudgetTracker | null = null,
  cpuNs = 0n,
  recorder: FrameSink | null = null,
  highFreqEnabled = true,
) {
  const log: unknown[] = [];
  const calls: string[] = [];
  const sampler = {} as { spec: SamplingSpec; tell: (news: Partial<SamplerNews>) => void };
  const engine = Object.assign(Object.create(jsEngine()), {
    startEpisode(spec: SamplingSpec, onNews: (news: SamplerNews) => void) {
      sampler.spec = spec;
      sampler.tell = (news) => onNews({ ...QUIET, ...news });
      new RingWriter(spec.ring).publish(words(cpuNs, FrameFlag.INITIAL));
      return {
        requestFrame: (request: number, flags: number) => calls.push(`frame ${request} ${flags}`),
        requestEnd: () => calls.push('end'),
        setTripwires: () => {},
        setPeriod: (periodNs: bigint, fastNs: bigint) => calls.push(`period ${periodNs} ${fastNs}`),
        setWaiting: (waiting: boolean) => calls.push(`waiting ${waiting}`),
      };
    },
  });
  const session = new SampledSession({
    engine,
    policy: TelemetryPolicy.builder()
      .samplePeriodMs(20)
      .promoteTriggers(PromoteTriggers.all)
      .highFreqEnabled(highFreqEnabled)
      .build(),
    budget,
    baseline: 'zero',
    onExhausted: 'kill',
    recorder,
    tripwires: [{ metric: 'cpuNs', atLeast: 7, speedUp: true }],
    spec: {
      episodeId: 'told',
      pid: 7,
      tier: 'proc',
      cgroup: null,
      procRoot: '/proc',
      reaperPid: 0,
      memoryStatPeriodNs: 0n,
    },
    emit: (event, ...args) => log.push([event, ...args]),
    onStopped: () => log.push('released'),
  });
  const publish = (ns: bigint, flags = 0): void => {
    const writer = new RingWriter(session.ring);
    writer.publish(words(ns, flags));
    if ((flags & FrameFlag.TERMINAL) !== 0) writer.end();
  };
  return { session, sampler, log, calls, publish };
}

const named = (log: readonly unknown[]): unknown[] =>
  log.map((entry) => (Array.isArray(entry) ? entry[0] : entry));

describe('news of the sampler', () => {
  it('the sampler is given the policy’s periods, the fast one for its tripwires', () => {
    expect(start().sampler.spec).toMatchObject({
      periodNs: 20_000_000n,
      fastPeriodNs: 5_000_000n,
      notifyEvery: 0,
      budget: null,
      onExhausted: 'kill',
      tripwires: [{ metric: 'cpuNs', threshold: 7n, release: 7n, actions: 3 }],
    });
  });

  it.each([
    [8, true, '8000000 2000000'],
    [3, true, '3000000 1000000'],
    [3_600_000, true, '3600000000000 900000000000'],
    [8, false, '8000000 8000000'],
  ])(
    'another period, %i ms, has its fast one by the policy (high frequency: %s)',
    (ms, fast, told) => {
      const { session, calls } = start(null, 0n, null, fast);
      session.setSamplePeriod(ms);
      expect(calls).toEqual([`period ${told}`]);
    },
  );

  it('the sampler is given the budget’s memory, and thresholds of the policy’s percentage', () => {
    const budget = new BudgetTracker({ cpuMs: 1, tokens: 16, ioBytes: 1 });
    expect(start(budget).sampler.spec.budget).toEqual({
      memory: budget.share().budget,
      baseline: 'zero',
      thresholds: [800_000n, 1n, NO_THRESHOLD, 13n, NO_THRESHOLD, NO_THRESHOLD],
      releases: [
        750_000n,
        1n,
        (NO_THRESHOLD / 16n) * 15n + 15n,
        13n,
        (NO_THRESHOLD / 16n) * 15n + 15n,
        (NO_THRESHOLD / 16n) * 15n + 15n,
      ],
      speedUp: true,
    });
  });

  it('that come together are told in order, the end last', async () => {
    const { session, sampler, log, publish } = start(new BudgetTracker({ cpuMs: 1 }));
    const asked = session.sampleNow(0);
    const late = session.sampleNow(0);
    publish(2_000_000n);
    publish(2_000_000n, FrameFlag.TERMINAL);
    const failure = {
      code: 'ERR_CGROUP_PARSE',
      errno: null,
      file: 'io.stat',
      pid: null,
      offset: 3,
      reason: 'malformed number',
    } as const;
    sampler.tell({
      frames: true,
      ended: { exited: true, failure: null },
      replies: [{ request: 0, words: words(1n) }],
      trips: [{ index: 0, value: 9n, seq: 1 }],
      budgetTrips: [{ resource: 0, limit: 1_000_000n, consumed: 800_000n, seq: 1 }],
      exhausted: {
        resource: 0,
        limit: 1_000_000n,
        consumed: 2_500_000n,
        seq: 1,
        tsNs: 77n,
        lateNs: null,
      },
      failedActions: [
        { action: 'kill', errno: 'EPERM', next: 'freeze' },
        { action: 'freeze', errno: null, next: 'stop' },
      ],
      sources: [{ seq: 1, meta: 2 << 8 }],
      warnings: [{ part: 2, failure }],
    });
    expect(named(log)).toEqual([
      'warning',
      'source',
      'threshold',
      'threshold',
      'exhausted',
      'warning',
      'warning',
      'released',
      'exit',
      'stopped',
    ]);
    expect(log).toContainEqual([
      'source',
      { seq: 1, sources: { cpu: 'proc', memory: 'unavailable', io: 'unavailable' } },
    ]);
    expect(log).toContainEqual(['threshold', { metric: 'cpuNs', atLeast: 7, value: 9, seq: 1 }]);
    expect(log).toContainEqual([
      'threshold',
      { resource: 'cpuMs', percent: 80, limit: 1, consumed: 0.8, seq: 1 },
    ]);
    expect(log).toContainEqual([
      'exhausted',
      {
        resource: 'cpuMs',
        limit: 1,
        consumed: 2.5,
        seq: 1,
        tsMono: 77,
        lateNs: null,
        action: 'kill',
      },
    ]);
    expect(log.filter((entry) => Array.isArray(entry) && entry[0] === 'warning')).toMatchObject([
      ['warning', { code: 'ERR_CGROUP_PARSE' }],
      ['warning', { code: 'ERR_ACTION_FAILED', errno: 'EPERM' }],
      ['warning', { code: 'ERR_ACTION_FAILED' }],
    ]);
    expect(log.at(-1)).toMatchObject(['stopped', { reason: 'exhausted', frame: { seq: 2 } }]);
    expect((await asked).cpuNs).toBe(1);
    // What was not answered by the end is answered by it.
    expect((await late).o11yFlags.terminal).toBe(true);
  });

  it('of a sampler that died: a warning with its words, then stopped as failed', async () => {
    const { session, sampler, log, publish } = start();
    const over = session.finish('stop');
    publish(0n, FrameFlag.TERMINAL);
    sampler.tell({ ended: { exited: false, failure: 'out of memory' } });
    await over;
    expect(log).toMatchObject([
      ['warning', { code: 'ERR_ENGINE_UNAVAILABLE', message: 'out of memory' }],
      'released',
      ['stopped', { reason: 'failed' }],
    ]);
  });

  it('the thread is held by what it asked for, until it is answered', async () => {
    const { session, sampler, calls, publish } = start();
    expect(calls).toEqual([]);
    const asked = session.sampleNow(FrameFlag.PROMOTED | FrameFlag.TERMINAL);
    expect(calls.splice(0)).toEqual(['waiting true', 'frame 0 2']);
    sampler.tell({ replies: [{ request: 0, words: words(1n) }] });
    await asked;
    expect(calls.splice(0)).toEqual(['waiting false']);
    const over = session.finish('stop');
    void session.finish('stop');
    expect(calls.splice(0)).toEqual(['waiting true', 'end']);
    publish(0n, FrameFlag.TERMINAL);
    sampler.tell({ ended: { exited: false, failure: null } });
    await over;
    expect(calls).toEqual(['waiting false']);
  });

  it('what only the terminal frame exhausts is told, and ended nothing', async () => {
    const { session, sampler, log, publish } = start(new BudgetTracker({ cpuMs: 1 }));
    const over = session.finish('stop');
    publish(2_000_000n, FrameFlag.TERMINAL);
    const exhausted = { resource: 0, limit: 1n, consumed: 2n, seq: 1, tsNs: 5n, lateNs: 3n };
    sampler.tell({ exhausted, ended: { exited: false, failure: null } });
    await over;
    expect(log.at(-1)).toMatchObject(['stopped', { reason: 'stop' }]);
  });

  it('a ring that another thread destroyed ends its session as failed, and nobody waits or throws', async () => {
    const { session, sampler, log, publish } = start(BudgetTracker.unlimited(), 5n);
    const late = session.sampleNow(0);
    const over = session.finish('stop');
    publish(0n, FrameFlag.TERMINAL);
    new Uint32Array(session.ring).fill(0xffff_ffff, 64);
    sampler.tell({ frames: true });
    sampler.tell({ ended: { exited: true, failure: null } });
    await over;
    await expect(late).rejects.toMatchObject({ code: 'ERR_RING_CORRUPT' });
    expect(log).toEqual([
      ['warning', expect.objectContaining({ code: 'ERR_RING_CORRUPT' })],
      'released',
      ['stopped', { reason: 'failed', frame: expect.objectContaining({ seq: 0, cpuNs: 5 }) }],
    ]);
  });

  it('a ring that another thread destroyed is one warning, however often frames are to be promoted', () => {
    const { session, sampler, log } = start(null, 0n, { write: () => {} });
    new Uint32Array(session.ring).fill(0xffff_ffff, 64);
    sampler.tell({ frames: true });
    sampler.tell({ frames: true });
    expect(named(log)).toEqual(['warning']);
  });
});
