import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BudgetTracker,
  CpuStats,
  FrameReader,
  IoStats,
  MemoryStats,
  O11yFlags,
  ResourceStats,
  TelemetryCollector,
  TelemetryPolicy,
} from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';

const policy = (samplePeriodMs: number, capacity = 1024): TelemetryPolicy =>
  TelemetryPolicy.builder().samplePeriodMs(samplePeriodMs).ringBufferCapacity(capacity).build();

/** Resolves when `condition` holds; the test's own time limit is the bound. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(1);
}

describe.each(ENGINES)('a sampled session, engine %s', (engine) => {
  it('takes its initial frame at once and then one a period', async () => {
    await using handle = new TelemetryCollector(policy(1), { engine }).start('own', process.pid);
    expect(handle.latest()!.o11yFlags.initial).toBe(true);
    expect(handle.engine).toBe(engine);
    await until(() => handle.seq >= 5);
    const frames = handle.readFrames();
    expect(frames.map((f) => f.seq)).toEqual(frames.map((_, i) => i));
    expect(frames.filter((f) => f.o11yFlags.initial)).toHaveLength(1);
  });

  it('ends by itself when its process ends: exit, stopped, one terminal frame', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    const handle = new TelemetryCollector(policy(1), { engine }).start('child', child.pid!);
    const order: string[] = [];
    handle.on('exit', () => order.push('exit'));
    handle.on('stopped', ({ reason }) => order.push(`stopped ${reason}`));
    await until(() => handle.seq >= 3);
    const stopped = once(handle, 'stopped');
    child.stdin.end();
    const [{ frame }] = await stopped;
    expect(order).toEqual(['exit', 'stopped exit']);
    expect(frame.o11yFlags.terminal).toBe(true);
    const frames = handle.readFrames();
    expect(frames.filter((f) => f.o11yFlags.terminal)).toHaveLength(1);
    expect(frames.at(-1)!.seq).toBe(frame.seq);
    // Node burned some cpu; what a process that is gone no longer tells is carried, and not called final.
    expect(frame.cpuNs).toBeGreaterThan(0);
    expect(frame.quality.cpu.has('final')).toBe(false);
  });

  it('deadlines that passed while the loop was busy are counted', async () => {
    await using handle = new TelemetryCollector(policy(1), { engine }).start('busy', process.pid);
    await until(() => handle.seq >= 2);
    const end = performance.now() + 60;
    while (performance.now() < end);
    const seq = handle.seq;
    await until(() => handle.seq > seq);
    expect(handle.snapshot().deadlinesMissed).toBeGreaterThanOrEqual(50);
  });

  it('an aborted signal stops it; an aborted one never starts', async () => {
    const controller = new AbortController();
    const collector = new TelemetryCollector(policy(1000), { engine });
    const handle = collector.start('aborted', process.pid, { signal: controller.signal });
    controller.abort();
    expect(handle.snapshot().stopped).toBe(true);
    expect(handle.latest()!.o11yFlags.terminal).toBe(true);
    expect(() => collector.start('never', process.pid, { signal: controller.signal })).toThrow();
  });

  it('stop() inside a listener, or twice, ends it once', async () => {
    const handle = new TelemetryCollector(policy(1000), { engine }).start('again', process.pid);
    let stopped = 0;
    handle.on('stopped', () => {
      stopped++;
      void handle.stop();
    });
    const first = handle.stop();
    expect(handle.stop()).toBe(first);
    const frames = await first;
    expect(frames.filter((f) => f.o11yFlags.terminal)).toHaveLength(1);
    expect(stopped).toBe(1);
    expect(await handle.stop()).toBe(frames);
  });

  it('stop() after the end tells exit too', async () => {
    const child = spawn('sleep', ['1000']);
    const handle = new TelemetryCollector(policy(3_600_000), { engine }).start('end', child.pid!);
    const events: string[] = [];
    handle.on('exit', () => events.push('exit'));
    handle.on('stopped', ({ reason }) => events.push(reason));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await handle.stop();
    expect(events).toEqual(['exit', 'stop']);
  });

  it('applyPolicy is for new sessions only', async () => {
    const collector = new TelemetryCollector(policy(1000, 4), { engine });
    await using first = collector.start('first', process.pid);
    collector.applyPolicy(policy(1000, 8));
    await using second = collector.start('second', process.pid);
    expect(first.snapshot().bufferCapacity).toBe(4);
    expect(second.snapshot().bufferCapacity).toBe(8);
    expect(collector.policy.ringBufferCapacity).toBe(8);
  });

  it('collect and nextFrame are refused on it', async () => {
    const collector = new TelemetryCollector(policy(1000), { engine });
    await using handle = collector.start('sampled', process.pid);
    expect(() => collector.collect(handle)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }),
    );
    expect(() => handle.nextFrame(handle.prevStats!)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }),
    );
  });

  it('an id runs once at a time in a collector, and again after its end', async () => {
    const collector = new TelemetryCollector(policy(1000), { engine });
    const handle = collector.start('once', process.pid);
    expect(() => collector.start('once', process.pid)).toThrow(
      expect.objectContaining({ code: 'ERR_ALREADY_STARTED' }),
    );
    await handle.stop();
    await collector.start('once', process.pid).stop();
  });
});

describe.each(ENGINES)('a manual session, engine %s', (engine) => {
  let cgroup: FixtureCgroup;
  beforeEach(() => {
    cgroup = new FixtureCgroup();
  });
  afterEach(() => cgroup.remove());

  const collectorOf = (capacity = 8): TelemetryCollector =>
    new TelemetryCollector(policy(1000, capacity), {
      engine,
      cgroupRoot: cgroup.root,
      requireCgroupfs: false,
    });

  it('nextFrame publishes given stats with the clamps of every frame', async () => {
    const collector = collectorOf();
    const handle = collector.start('given', process.pid, { manual: true });
    const stats = (usageNs: number): ResourceStats =>
      new ResourceStats({
        cpu: new CpuStats({ source: 'cgroup', usageNs, userNs: 2, systemNs: 1 }),
        memory: MemoryStats.unavailable(),
        io: new IoStats({ source: 'proc', readBytes: 7, writeBytes: 8 }),
      });
    const first = handle.nextFrame(stats(10));
    const second = handle.nextFrame(stats(5));
    expect(first).toMatchObject({ seq: 0, cpuNs: 10, ioReadBytes: 7, memRssBytes: null });
    expect(first.sources).toEqual({ cpu: 'cgroup', memory: 'unavailable', io: 'proc' });
    expect(first.o11yFlags.initial).toBe(true);
    expect(second).toMatchObject({ seq: 1, cpuNs: 10 });
    expect(handle.prevStats!.cpu.usageNs).toBe(5);
    expect(handle.computeDelta(stats(25))).toMatchObject({ cpuNs: 20, ioReadBytes: 0 });
    await handle.stop();
  });

  it('the ring keeps the newest frames; what was overwritten and drained is counted', async () => {
    const collector = collectorOf(4);
    const handle = collector.start('fixture', process.pid, { manual: true });
    for (let i = 0; i < 3; i++) collector.collect(handle);
    expect(handle.drainFrames().map((f) => f.seq)).toEqual([0, 1, 2]);
    expect(handle.drainFrames()).toEqual([]);
    for (let i = 0; i < 7; i++) collector.collect(handle);
    expect(handle.snapshot()).toMatchObject({
      episodeId: 'fixture',
      pid: process.pid,
      seq: 10,
      framesCollected: 10,
      framesPromoted: 3,
      framesOverwritten: 6,
      bufferLen: 4,
      bufferCapacity: 4,
      stopped: false,
      highFreqActive: false,
      sources: { cpu: 'cgroup', memory: 'cgroup', io: 'cgroup' },
    });
    expect(handle.readFrames().map((f) => f.seq)).toEqual([6, 7, 8, 9]);
    const late = new FrameReader(handle.share());
    expect(late.read(100)).toMatchObject({ missed: 6 });
    await handle.stop();
  });

  it('CTR-TL01: the cpu and io of every sample are charged, each once', async () => {
    const budget = BudgetTracker.unlimited();
    const collector = collectorOf();
    const handle = collector.start('fixture', process.pid, { manual: true, budget });
    collector.collect(handle);
    expect(budget.consumed()).toMatchObject({ cpuMs: 0.1, bytesIo: 1536 });
    cgroup.cpu({ usage: 2_100, user: 1_000, system: 1_000 });
    cgroup.io({ read: 512, write: 5120 });
    collector.collect(handle);
    collector.collect(handle);
    expect(budget.consumed()).toMatchObject({ cpuMs: 2.1, bytesIo: 5632 });
    // Counters that were reset never charge negatively, nor again.
    cgroup.cpu({ usage: 5, user: 3, system: 2 });
    collector.collect(handle);
    cgroup.cpu({ usage: 2_100, user: 1_000, system: 1_000 });
    collector.collect(handle);
    expect(budget.consumed()).toMatchObject({ cpuMs: 2.1, bytesIo: 5632 });
    await handle.stop();
  });

  it('CTR-TL01: the first and the terminal frame are charged, and frames of given stats', async () => {
    const budget = BudgetTracker.unlimited();
    const sampled = new TelemetryCollector(policy(3_600_000), {
      engine,
      cgroupRoot: cgroup.root,
      requireCgroupfs: false,
    }).start('fixture', process.pid, { budget });
    expect(budget.consumed().cpuMs).toBe(0.1);
    cgroup.cpu({ usage: 9_100, user: 60, system: 40 });
    await sampled.stop();
    expect(budget.consumed().cpuMs).toBe(9.1);

    const given = BudgetTracker.unlimited();
    const handle = collectorOf().start('fixture', process.pid, { manual: true, budget: given });
    const cpu = new CpuStats({ source: 'cgroup', usageNs: 5e6, userNs: 0, systemNs: 0 });
    handle.nextFrame(
      new ResourceStats({ cpu, memory: MemoryStats.unavailable(), io: IoStats.unavailable() }),
    );
    expect(given.consumed().cpuMs).toBe(5);
    await handle.stop();
  });

  it('CTR-TL01: a budget of the session that collectWithBudget is given is charged once', async () => {
    const budget = new BudgetTracker({ cpuMs: 1 });
    const collector = collectorOf();
    const handle = collector.start('fixture', process.pid, { manual: true, budget });
    expect(collector.collectWithBudget(handle, budget)!.cpuNs).toBe(100_000);
    expect(budget.consumed().cpuMs).toBe(0.1);
    await handle.stop();
  });

  it('CTR-TL02: a budget that the first frame exhausts stops the session at once', async () => {
    const handle = new TelemetryCollector(policy(3_600_000), {
      engine,
      cgroupRoot: cgroup.root,
      requireCgroupfs: false,
    }).start('fixture', process.pid, { budget: new BudgetTracker({ bytesIo: 1 }) });
    const events: string[] = [];
    handle.on('exhausted', ({ resource }) => {
      events.push(resource);
      void handle.stop();
    });
    const [{ reason }] = await once(handle, 'stopped');
    expect(events).toEqual(['bytesIo']);
    expect(reason).toBe('exhausted');
    expect(handle.readFrames().filter((f) => f.o11yFlags.terminal)).toHaveLength(1);
  });

  it('initial and terminal are the session’s to set', async () => {
    const collector = collectorOf();
    const handle = collector.start('fixture', process.pid, { manual: true });
    const flags = new O11yFlags({ initial: true, terminal: true, promoted: true });
    collector.collect(handle, flags);
    collector.collect(handle, flags);
    const reader = new FrameReader(handle.share());
    expect(reader.ended).toBe(false);
    const frames = await handle.stop();
    expect(frames.map((f) => [f.o11yFlags.initial, f.o11yFlags.terminal])).toEqual([
      [true, false],
      [false, false],
      [false, true],
    ]);
    expect(frames[0]!.o11yFlags.promoted).toBe(true);
    expect(reader.ended).toBe(true);
  });

  it('an episode that had ended when its session started is told at once', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    cgroup.write('cgroup.events', 'populated 0\nfrozen 0\n');
    const handle = new TelemetryCollector(policy(3_600_000), {
      engine,
      cgroupRoot: cgroup.root,
      requireCgroupfs: false,
    }).start('fixture', child.pid!);
    const [{ frame }] = await once(handle, 'exit');
    expect(frame).toMatchObject({ cpuNs: 100_000, seq: 1 });
  });

  it('computeDelta of given stats is theirs, also across a change of source', async () => {
    const handle = collectorOf().start('fixture', process.pid, { manual: true });
    const stats = (source: 'cgroup' | 'proc', usageNs: number): ResourceStats =>
      new ResourceStats({
        cpu: new CpuStats({ source, usageNs, userNs: 0, systemNs: 0 }),
        memory: MemoryStats.unavailable(),
        io: IoStats.unavailable(),
      });
    expect(handle.nextFrame(stats('cgroup', 100)).o11yFlags.degraded).toBe(false);
    expect(handle.nextFrame(stats('proc', 1000)).o11yFlags.degraded).toBe(true);
    expect(handle.computeDelta(stats('proc', 1050)).cpuNs).toBe(50);
    await handle.stop();
  });

  it("CTR-TL01: baseline 'now' charges nothing of what was consumed before", async () => {
    const budget = BudgetTracker.unlimited();
    const collector = collectorOf();
    const handle = collector.start('fixture', process.pid, {
      manual: true,
      budget,
      baseline: 'now',
    });
    collector.collect(handle);
    cgroup.cpu({ usage: 1_100, user: 60, system: 40 });
    collector.collect(handle);
    expect(budget.consumed()).toMatchObject({ cpuMs: 1, bytesIo: 0 });
    await handle.stop();
  });

  it('CTR-TL02: an exhausted budget stops the session; the frame that crossed it is kept', async () => {
    const budget = new BudgetTracker({ cpuMs: 1 });
    const collector = collectorOf();
    const handle = collector.start('fixture', process.pid, { manual: true, budget });
    const events: unknown[] = [];
    handle.on('exhausted', (event) => events.push(event));
    collector.collect(handle);
    expect(events).toEqual([]);
    cgroup.cpu({ usage: 1_500, user: 60, system: 40 });
    const crossing = collector.collect(handle);
    expect(events).toEqual([{ resource: 'cpuMs', limit: 1, consumed: 1.5, seq: crossing.seq }]);
    const frames = await handle.stop();
    expect(frames.map((f) => f.seq)).toContain(crossing.seq);
    expect(frames.filter((f) => f.o11yFlags.terminal)).toHaveLength(1);
    expect(() => collector.collect(handle)).toThrow(
      expect.objectContaining({ code: 'ERR_STOPPED' }),
    );
  });

  it('CTR-TL02: a total that lands exactly on the limit exhausts it', async () => {
    const collector = collectorOf();
    const handle = collector.start('fixture', process.pid, {
      manual: true,
      budget: new BudgetTracker({ bytesIo: 1536 }),
    });
    collector.collect(handle);
    expect(handle.snapshot().stopped).toBe(true);
    await handle.stop();
  });

  it('CTR-TL02: collectWithBudget gives null once the budget is exhausted', async () => {
    const budget = new BudgetTracker({ bytesIo: 4096 });
    const collector = collectorOf();
    const handle = collector.start('fixture', process.pid, { manual: true });
    expect(collector.collectWithBudget(handle, budget)!.seq).toBe(0);
    cgroup.io({ read: 4096, write: 4096 });
    expect(collector.collectWithBudget(handle, budget)).toBeNull();
    expect(handle.latest()!.ioReadBytes).toBe(4096);
    expect(budget.consumed().bytesIo).toBe(8192);
    expect(collector.collectWithBudget(handle, budget)).toBeNull();
    expect(handle.seq).toBe(3);
    await handle.stop();
  });
});
