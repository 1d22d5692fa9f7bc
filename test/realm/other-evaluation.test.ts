/** What one evaluation of the package made is given to another, whose classes are others. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import * as here from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { scratch } from '../support/scratch.js';

const directory = scratch();
let there: typeof here;

beforeAll(async () => {
  vi.resetModules();
  there = await import('../../src/index.js');
  expect(there.TelemetryCollector).not.toBe(here.TelemetryCollector);
});

const fast = (of: typeof here): here.TelemetryPolicy =>
  of.TelemetryPolicy.builder().samplePeriodMs(1).promoteTriggers(of.PromoteTriggers.all).build();

describe.each(ENGINES)('engine %s', (engine) => {
  test('a policy and a budget are what they are: the budget is charged and enforced', async () => {
    const budget = new there.BudgetTracker({ wallMs: 5, tokens: 7 });
    const handle = new here.TelemetryCollector(fast(there), { engine }).start(
      'limited',
      process.pid,
      { budget },
    );
    const [exhausted] = await once(handle, 'exhausted');
    await handle.stop();
    expect(exhausted).toMatchObject({ resource: 'wallMs' });
    expect(budget.isExhausted('wallMs')).toBe(true);
    expect(handle.snapshot().bufferCapacity).toBe(1024);
  });

  test('a manual session charges the budget, and takes flags and stats', async () => {
    const collector = new here.TelemetryCollector(undefined, { engine });
    const handle = collector.start('manual', process.pid, { manual: true });
    const budget = new there.BudgetTracker({ cpuMs: 1 });
    const flags = there.O11yFlags.none.withPromoted();
    expect(collector.collectWithBudget(handle, budget, flags)).toBeNull();
    expect(budget.consumed().cpuMs).toBeGreaterThan(1);
    const stats = new there.ResourceStats<bigint>({
      cpu: new there.CpuStats<bigint>({ source: 'proc', usageNs: 2n ** 62n }),
      memory: there.MemoryStats.unavailable<bigint>(),
      io: new there.IoStats<bigint>({ source: 'proc', readBytes: 2n ** 61n }),
    });
    const frame = handle.nextFrame(stats, flags);
    expect(frame).toMatchObject({ cpuNs: 2 ** 62, ioReadBytes: 2 ** 61, memRssBytes: null });
    expect(frame.o11yFlags.promoted).toBe(true);
    expect(handle.computeDelta(stats).cpuNs).toBe(0);
    await handle.stop();
  });

  test('a recorder records, and what it throws is the warning', async () => {
    const path = join(directory, `${engine}.ndjson`);
    const recorder = new there.FrameRecorder(path);
    const collector = new here.TelemetryCollector(fast(here), { engine });
    const handle = collector.start('recorded', process.pid, { recorder });
    while (handle.seq < 5) await handle.sampleNow();
    await handle.stop();
    await recorder.close();
    const seqs: number[] = [];
    for await (const { seq } of here.readRecording(path)) seqs.push(seq);
    expect(seqs.length).toBeGreaterThan(5);

    const broken = new there.FrameRecorder(join(path, 'below'));
    const next = collector.start('recorded', process.pid, { recorder: broken });
    const [warning] = await once(next, 'warning');
    expect(warning).toBeInstanceOf(here.RecordingError);
    expect(warning.code).toBe('ERR_RECORDING_IO');
    await next.stop();
  });

  test('a log writer is told of a run', async () => {
    const path = join(directory, `${engine}.log`);
    const writer = new there.ReviewerTelemetryWriter(path);
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const reviewer = { writer, child, prNumber: 7, headSha: 'abc', reviewType: 'security' };
    const collector = new here.TelemetryCollector(fast(here), { engine });
    const handle = collector.start('told', child.pid!, { tier: 'proc', reviewer });
    child.kill();
    await once(child, 'exit');
    await handle.stop();
    await vi.waitFor(async () => {
      const { events } = await here.readReviewerProjectionEvents(path, { prNumber: 7 });
      expect(events.map(({ lifecycle }) => lifecycle.event)).toEqual(['run_start', 'run_crash']);
    }, 20_000);
  });

  test('a handle belongs to the evaluation that started it', async () => {
    const handle = new there.TelemetryCollector(undefined, { engine }).start('own', process.pid, {
      manual: true,
    });
    const collector = new here.TelemetryCollector(undefined, { engine });
    expect(() => collector.collect(handle)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }),
    );
    await handle.stop();
  });
});

test('an error is an instance of the class of its name, and of no other', () => {
  const error = new there.CgroupError('ERR_CGROUP_READ', 'why');
  expect(error).toBeInstanceOf(here.CgroupError);
  expect(error).toBeInstanceOf(here.TelemetryError);
  expect(error).not.toBeInstanceOf(here.ProcError);
  class Own extends here.CgroupError {}
  expect(error).not.toBeInstanceOf(Own);
  expect(new Own('ERR_CGROUP_READ', 'why')).toBeInstanceOf(there.CgroupError);
  expect(() => new there.BudgetTracker({ cpuMs: -1 })).toThrow(here.TelemetryError);
  expect(new Error('why')).not.toBeInstanceOf(here.TelemetryError);
});

test('a policy is made of triggers, a frame of flags', () => {
  const policy = new here.TelemetryPolicy({ promoteTriggers: there.PromoteTriggers.all });
  expect(policy.promoteTriggers).toEqual(here.PromoteTriggers.all);
  const flags = there.O11yFlags.none.withInitial();
  expect(here.TelemetryFrame.builder('job', 0).o11yFlags(flags).build().o11yFlags).toEqual(flags);
});

test('what only says that it is one is checked like any other input', () => {
  const claim = (name: string, more: object): never =>
    Object.assign(Object.create({ [Symbol.for('episcope.brand')]: name }), more) as never;
  const collector = new here.TelemetryCollector();
  const start = (budget: never) => collector.start('refused', process.pid, { budget });
  for (const budget of [
    claim('BudgetTracker', { share: () => ({ budget: new SharedArrayBuffer(8) }) }),
    claim('BudgetTracker', { share: () => null }),
    claim('BudgetTracker', {}),
    { share: () => new here.BudgetTracker().share() } as never,
  ]) {
    expect(() => start(budget)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }));
  }
  const policy = claim('TelemetryPolicy', { samplePeriodMs: 0 });
  expect(() => collector.applyPolicy(policy)).toThrow(
    expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }),
  );
});
