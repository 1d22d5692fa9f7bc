import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

const policy = (capacity: number): TelemetryPolicy =>
  TelemetryPolicy.builder().ringBufferCapacity(capacity).build();

describe.each(ENGINES)('a manual session, engine %s', (engine) => {
  let cgroup: FixtureCgroup;
  beforeEach(() => {
    cgroup = new FixtureCgroup();
  });
  afterEach(() => cgroup.remove());

  const collectorOf = (capacity = 8): TelemetryCollector =>
    new TelemetryCollector(policy(capacity), {
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
    expect(budget.consumed()).toMatchObject({ cpuMs: 0.1, ioBytes: 1536 });
    cgroup.cpu({ usage: 2_100, user: 1_000, system: 1_000 });
    cgroup.io({ read: 512, write: 5120 });
    collector.collect(handle);
    collector.collect(handle);
    expect(budget.consumed()).toMatchObject({ cpuMs: 2.1, ioBytes: 5632 });
    // Counters that were reset never charge negatively, nor again.
    cgroup.cpu({ usage: 5, user: 3, system: 2 });
    collector.collect(handle);
    cgroup.cpu({ usage: 2_100, user: 1_000, system: 1_000 });
    collector.collect(handle);
    expect(budget.consumed()).toMatchObject({ cpuMs: 2.1, ioBytes: 5632 });
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
    expect(budget.consumed()).toMatchObject({ cpuMs: 1, ioBytes: 0 });
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
    expect(events).toMatchObject([
      { resource: 'cpuMs', limit: 1, consumed: 1.5, seq: crossing.seq, action: 'stop' },
    ]);
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
      budget: new BudgetTracker({ ioBytes: 1536 }),
    });
    collector.collect(handle);
    expect(handle.snapshot().stopped).toBe(true);
    await handle.stop();
  });

  it('CTR-TL02: collectWithBudget gives null once the budget is exhausted', async () => {
    const budget = new BudgetTracker({ ioBytes: 4096 });
    const collector = collectorOf();
    const handle = collector.start('fixture', process.pid, { manual: true });
    expect(collector.collectWithBudget(handle, budget)!.seq).toBe(0);
    cgroup.io({ read: 4096, write: 4096 });
    expect(collector.collectWithBudget(handle, budget)).toBeNull();
    expect(handle.latest()!.ioReadBytes).toBe(4096);
    expect(budget.consumed().ioBytes).toBe(8192);
    expect(collector.collectWithBudget(handle, budget)).toBeNull();
    expect(handle.seq).toBe(3);
    await handle.stop();
  });

  it('CTR-TL01: collectWithBudget charges a budget once, by whichever of its trackers', async () => {
    const budget = BudgetTracker.unlimited();
    const collector = collectorOf();
    const handle = collector.start('fixture', process.pid, { manual: true, budget });
    const twin = BudgetTracker.attach(budget.share());
    collector.collectWithBudget(handle, twin);
    expect(budget.consumed()).toMatchObject({ cpuMs: 0.1, ioBytes: 1536 });
    const other = BudgetTracker.unlimited();
    collector.collectWithBudget(handle, other);
    collector.collectWithBudget(handle, BudgetTracker.attach(other.share()));
    expect(other.consumed()).toMatchObject({ cpuMs: 0.1, ioBytes: 1536 });
    await handle.stop();
  });

  it('CTR-TL01: collectWithBudget charges from now where the session does', async () => {
    const budget = BudgetTracker.unlimited();
    const collector = collectorOf();
    const handle = collector.start('fixture', process.pid, { manual: true, baseline: 'now' });
    collector.collectWithBudget(handle, budget);
    expect(budget.consumed()).toMatchObject({ cpuMs: 0, ioBytes: 0 });
    cgroup.cpu({ usage: 1_100, user: 60, system: 40 });
    collector.collectWithBudget(handle, budget);
    expect(budget.consumed().cpuMs).toBe(1);
    await handle.stop();
  });

  it('CTR-TL01: the terminal frame is charged, and frames of given stats', async () => {
    const budget = BudgetTracker.unlimited();
    const handle = collectorOf().start('fixture', process.pid, { manual: true, budget });
    const cpu = new CpuStats({ source: 'cgroup', usageNs: 5e4, userNs: 0, systemNs: 0 });
    handle.nextFrame(
      new ResourceStats({ cpu, memory: MemoryStats.unavailable(), io: IoStats.unavailable() }),
    );
    expect(budget.consumed().cpuMs).toBe(0.05);
    await handle.stop();
    expect(budget.consumed().cpuMs).toBe(0.1);
  });

  it('stop() after the end of the process tells exit too', async () => {
    const child = spawn('sleep', ['1000']);
    const handle = new TelemetryCollector(undefined, { engine }).start('end', child.pid!, {
      manual: true,
    });
    const events: string[] = [];
    handle.on('exit', () => events.push('exit'));
    handle.on('stopped', ({ reason }) => events.push(reason));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await handle.stop();
    expect(events).toEqual(['exit', 'stop']);
  });

  it('takes no frame by itself, and none by sampleNow()', async () => {
    const handle = collectorOf().start('fixture', process.pid, { manual: true });
    expect(handle.latest()).toBeNull();
    await expect(handle.sampleNow()).rejects.toMatchObject({
      code: 'ERR_INVALID_CONFIG',
      message: expect.stringContaining('collect()'),
    });
    await handle.stop();
  });
});
