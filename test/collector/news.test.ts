import { describe, expect, it } from 'vitest';
import { SampledSession } from '../../src/collector/sampled-session.js';
import type { SamplerNews, SamplingSpec } from '../../src/engine/engine.js';
import { jsEngine } from '../../src/engine/js/engine.js';
import { BudgetTracker, TelemetryPolicy } from '../../src/index.js';
import { FrameFlag, FrameWord, RING_SLOT_WORDS } from '../../src/ring/layout.js';
import { RingWriter } from '../../src/ring/writer.js';

const QUIET: SamplerNews = {
  frames: false,
  sources: [],
  warnings: [],
  trips: [],
  replies: [],
  ended: null,
};

/** A slot whose cpu comes from a cgroup. */
function words(cpuNs: bigint, flags = 0): BigUint64Array {
  const slot = new BigUint64Array(RING_SLOT_WORDS);
  slot[FrameWord.VALID] = 1n << BigInt(FrameWord.CPU_NS);
  slot[FrameWord.META] = BigInt(flags | (1 << 8));
  slot[FrameWord.CPU_NS] = cpuNs;
  return slot;
}

/** A session whose sampler is the test. */
function start(budget: BudgetTracker | null = null, cpuNs = 0n) {
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
        setPeriod: () => {},
        setWaiting: (waiting: boolean) => calls.push(`waiting ${waiting}`),
      };
    },
  });
  const session = new SampledSession({
    engine,
    policy: TelemetryPolicy.builder().samplePeriodMs(20).build(),
    budget,
    baseline: 'zero',
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
      notifyFrames: false,
      tripwires: [{ metric: 'cpuNs', threshold: 7n, release: 7n, actions: 3 }],
    });
    expect(start(BudgetTracker.unlimited()).sampler.spec.notifyFrames).toBe(true);
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
      sources: [{ seq: 1, meta: 2 << 8 }],
      warnings: [{ part: 2, failure }],
    });
    expect(named(log)).toEqual([
      'warning',
      'source',
      'threshold',
      'released',
      'exhausted',
      'exit',
      'stopped',
    ]);
    expect(log).toContainEqual([
      'source',
      { seq: 1, sources: { cpu: 'proc', memory: 'unavailable', io: 'unavailable' } },
    ]);
    expect(log).toContainEqual(['threshold', { metric: 'cpuNs', atLeast: 7, value: 9, seq: 1 }]);
    expect(log.at(-1)).toMatchObject(['stopped', { reason: 'exit', frame: { seq: 2 } }]);
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

  it('CTR-TL01: frames that were told together are charged once, by the newest', () => {
    const budget = BudgetTracker.unlimited();
    const { sampler, publish } = start(budget, 1_000_000n);
    expect(budget.consumed().cpuMs).toBe(1);
    publish(2_000_000n);
    publish(3_000_000n);
    sampler.tell({ frames: true });
    sampler.tell({ frames: true });
    expect(budget.consumed().cpuMs).toBe(3);
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

  it('a ring that another thread destroyed is one warning, however many frames are told', () => {
    const { session, sampler, log } = start(BudgetTracker.unlimited());
    new Uint32Array(session.ring).fill(0xffff_ffff, 64);
    sampler.tell({ frames: true });
    sampler.tell({ frames: true });
    expect(named(log)).toEqual(['warning']);
  });
});
