import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BudgetTracker,
  type StartOptions,
  TelemetryCollector,
  type TelemetryHandle,
  TelemetryPolicy,
} from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';

/** So long a period that every frame but the first and the last is one that the test asks for. */
const policy = TelemetryPolicy.builder().samplePeriodMs(3_600_000).build();

describe.each(ENGINES)('the budget of a sampled session, engine %s', (engine) => {
  let cgroup: FixtureCgroup;
  beforeEach(() => {
    cgroup = new FixtureCgroup();
  });
  afterEach(() => cgroup.remove());

  const start = (options: StartOptions, pid = process.pid): TelemetryHandle =>
    new TelemetryCollector(policy, {
      engine,
      cgroupRoot: cgroup.root,
      requireCgroupfs: false,
    }).start('fixture', pid, options);

  it('CTR-TL01: the cpu and io of every frame are charged, the first and the terminal too', async () => {
    const budget = BudgetTracker.unlimited();
    const handle = start({ budget });
    expect(budget.consumed()).toMatchObject({ cpuMs: 0.1, ioBytes: 1536 });
    cgroup.cpu({ usage: 2_100, user: 60, system: 40 });
    cgroup.io({ read: 512, write: 5120 });
    await handle.sampleNow();
    expect(budget.consumed()).toMatchObject({ cpuMs: 2.1, ioBytes: 5632 });
    cgroup.cpu({ usage: 9_100, user: 60, system: 40 });
    await handle.stop();
    expect(budget.consumed()).toMatchObject({ cpuMs: 9.1, ioBytes: 5632 });
  });

  it("CTR-TL01: baseline 'now' charges nothing of what was consumed before the first frame", async () => {
    const budget = BudgetTracker.unlimited();
    const handle = start({ budget, baseline: 'now' });
    cgroup.cpu({ usage: 1_100, user: 60, system: 40 });
    await handle.stop();
    expect(budget.consumed()).toMatchObject({ cpuMs: 1, ioBytes: 0 });
  });

  it('CTR-TL02: an exhausted budget stops the session; the frame that told it is kept', async () => {
    const handle = start({ budget: new BudgetTracker({ cpuMs: 1 }) });
    const exhausted = once(handle, 'exhausted');
    const stopped = once(handle, 'stopped');
    cgroup.cpu({ usage: 1_500, user: 60, system: 40 });
    const frame = await handle.sampleNow();
    expect(await exhausted).toEqual([
      {
        resource: 'cpuMs',
        limit: 1,
        consumed: 1.5,
        seq: frame.seq,
        tsMono: frame.tsMono,
        lateNs: frame.tsMono - handle.readFrames()[0]!.tsMono,
        action: 'stop',
      },
    ]);
    const [{ reason }] = await stopped;
    expect(reason).toBe('exhausted');
    const frames = handle.readFrames();
    expect(frames.map((f) => [f.seq, f.o11yFlags.terminal])).toEqual([
      [0, false],
      [1, false],
      [2, true],
    ]);
  });

  it('CTR-TL02: a budget that the first frame exhausts stops the session at once', async () => {
    const handle = start({ budget: new BudgetTracker({ ioBytes: 1 }) });
    const events: string[] = [];
    handle.on('exhausted', ({ resource }) => {
      events.push(resource);
      void handle.stop();
    });
    const [{ reason }] = await once(handle, 'stopped');
    expect(events).toEqual(['ioBytes']);
    expect(reason).toBe('exhausted');
    expect(handle.readFrames().filter((f) => f.o11yFlags.terminal)).toHaveLength(1);
  });

  it('CTR-TL02: what the first frame or the terminal one exhausts is told also of a stop()', async () => {
    for (const [cpuMs, why] of [
      [0.05, 'exhausted'],
      [5, 'stop'],
    ] as const) {
      cgroup.cpu({ usage: 100, user: 60, system: 40 });
      const handle = start({ budget: new BudgetTracker({ cpuMs }) });
      const events: unknown[] = [];
      handle.on('exhausted', ({ limit }) => events.push(limit));
      handle.on('stopped', ({ reason }) => events.push(reason));
      cgroup.cpu({ usage: 9_000, user: 60, system: 40 });
      await handle.stop();
      expect(events).toEqual([cpuMs, why]);
    }
  });

  it('CTR-TL01: an episode that had ended when its session started is charged and told', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    cgroup.write('cgroup.events', 'populated 0\nfrozen 0\n');
    const budget = BudgetTracker.unlimited();
    const [{ frame }] = await once(start({ budget }, child.pid!), 'exit');
    expect(frame).toMatchObject({ cpuNs: 100_000, seq: 1 });
    expect(budget.consumed().cpuMs).toBe(0.1);
  });
});
