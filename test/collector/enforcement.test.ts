import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCgroup2Mount } from '../../src/host/index.js';
import {
  BudgetTracker,
  type HandleEvents,
  type StartOptions,
  TelemetryCollector,
  type TelemetryHandle,
  TelemetryPolicy,
} from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';
import { until } from './waiting.js';

const EVENTS = ['threshold', 'exhausted', 'warning', 'exit', 'stopped'] as const;

/** Every event, by name, in order. */
function logOf(handle: TelemetryHandle): (readonly [keyof HandleEvents, unknown])[] {
  const log: (readonly [keyof HandleEvents, unknown])[] = [];
  for (const name of EVENTS) handle.on(name, (event: unknown) => log.push([name, event]));
  return log;
}

describe.each(ENGINES)('an exhausted budget, engine %s', (engine) => {
  let cgroup: FixtureCgroup;
  let child: ChildProcess;
  beforeEach(() => {
    cgroup = new FixtureCgroup();
    child = spawn('sleep', ['600'], { stdio: 'ignore' });
  });
  afterEach(() => {
    child.kill('SIGKILL');
    cgroup.remove();
  });

  const text = (file: string): string => readFileSync(join(cgroup.path, file), 'utf8');

  /** So long a period that every frame but the first and the last is one that is asked for. */
  function start(options: StartOptions, periodMs = 3_600_000): TelemetryHandle {
    const policy = TelemetryPolicy.builder().samplePeriodMs(periodMs).memoryStatPeriodMs(0).build();
    const collector = new TelemetryCollector(policy, {
      engine,
      cgroupRoot: cgroup.root,
      requireCgroupfs: false,
    });
    return collector.start('fixture', child.pid!, options);
  }

  /** Consumes 2 ms, and has a frame see it. */
  async function exceed(handle: TelemetryHandle): Promise<void> {
    cgroup.cpu({ usage: 2_100, user: 60, system: 40 });
    await handle.sampleNow();
  }

  const limited = (): BudgetTracker => new BudgetTracker({ cpuMs: 1 });

  it('kill writes cgroup.kill; the one terminal frame comes when nobody lives any more', async () => {
    cgroup.write('cgroup.kill', '');
    const handle = start({ budget: limited(), onExhausted: 'kill' });
    const log = logOf(handle);
    await exceed(handle);
    await until(() => text('cgroup.kill') === '1');
    const between = await handle.sampleNow();
    expect(between.o11yFlags.terminal).toBe(false);
    cgroup.cpu({ usage: 2_300, user: 60, system: 40 });
    cgroup.write('cgroup.events', 'populated 0\nfrozen 0\n');
    const [{ reason, frame }] = await once(handle, 'stopped');
    expect(reason).toBe('exhausted');
    expect(frame).toMatchObject({ cpuNs: 2_300_000, o11yFlags: { terminal: true } });
    expect(handle.readFrames().map((each) => each.o11yFlags.terminal)).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(log.map(([name]) => name)).toEqual(['threshold', 'exhausted', 'stopped']);
    expect(log[1]).toMatchObject(['exhausted', { resource: 'cpuMs', seq: 1, action: 'kill' }]);
  });

  it('freeze writes cgroup.freeze; the session ends frozen, stop() thaws nothing, thaw() does', async () => {
    cgroup.write('cgroup.freeze', '0');
    const handle = start({ budget: limited(), onExhausted: 'freeze' });
    const log = logOf(handle);
    await exceed(handle);
    await until(() => text('cgroup.freeze') === '1');
    cgroup.write('cgroup.events', 'populated 1\nfrozen 1\n');
    await once(handle, 'stopped');
    expect(log.map(([name]) => name)).toEqual(['threshold', 'exhausted', 'stopped']);
    await handle.stop();
    expect(text('cgroup.freeze')).toBe('1');
    const thawed = handle.thaw();
    await until(() => text('cgroup.freeze') === '0');
    cgroup.write('cgroup.events', 'populated 1\nfrozen 0\n');
    await thawed;
  });

  it('stop leaves the cgroup alone', async () => {
    cgroup.write('cgroup.kill', '');
    cgroup.write('cgroup.freeze', '0');
    const handle = start({ budget: limited() });
    await exceed(handle);
    if (!handle.snapshot().stopped) await once(handle, 'stopped');
    expect([text('cgroup.kill'), text('cgroup.freeze')]).toEqual(['', '0']);
  });

  it('what fails is a warning, and the next weaker action is taken: kill, freeze, stop', async () => {
    const handle = start({ budget: limited(), onExhausted: 'kill' });
    const log = logOf(handle);
    const stopped = once(handle, 'stopped');
    await exceed(handle);
    const [{ reason }] = await stopped;
    expect(reason).toBe('exhausted');
    expect(log.map(([name]) => name)).toEqual([
      'threshold',
      'exhausted',
      'warning',
      'warning',
      'stopped',
    ]);
    const file = cgroup.path;
    expect(log.slice(2, 4)).toMatchObject([
      ['warning', { code: 'ERR_ACTION_FAILED', errno: 'ENOENT', file }],
      ['warning', { code: 'ERR_ACTION_FAILED', errno: 'ENOENT', file }],
    ]);
    expect(String(log[2]![1])).toContain('cannot be killed (ENOENT): it is frozen instead');
    expect(String(log[3]![1])).toContain('cannot be frozen (ENOENT): only its sampling stops');
    // Of a fixture nobody is signalled.
    expect(child.exitCode === null && child.signalCode === null).toBe(true);
  });

  it('a kill that fails freezes', async () => {
    cgroup.write('cgroup.freeze', '0');
    const handle = start({ budget: limited(), onExhausted: 'kill' });
    const stopped = once(handle, 'stopped');
    await exceed(handle);
    await until(() => text('cgroup.freeze') === '1');
    cgroup.write('cgroup.events', 'populated 1\nfrozen 1\n');
    await stopped;
  });

  it('freeze without a cgroup is a warning, and the sampling stops', async () => {
    const handle = start({
      tier: 'proc',
      budget: new BudgetTracker({ wallMs: 1 }),
      onExhausted: 'freeze',
    });
    const log = logOf(handle);
    const [{ reason }] = await once(handle, 'stopped');
    expect(reason).toBe('exhausted');
    expect(log.find(([name]) => name === 'warning')![1]).toMatchObject({
      code: 'ERR_ACTION_FAILED',
      message: expect.stringContaining('it has no cgroup'),
    });
    await expect(handle.thaw()).rejects.toMatchObject({ code: 'ERR_CGROUP_NOT_AVAILABLE' });
  });

  it.each([
    [false, 'freeze', ['freeze']],
    [false, 'kill', ['kill', 'freeze']],
    [true, 'freeze', ['freeze']],
    [true, 'kill', ['kill', 'freeze']],
  ] as const)(
    'spares a cgroup that came to hold this very process (manual %s, %s)',
    async (manual, onExhausted, refused) => {
      cgroup.write('cgroup.kill', '0');
      cgroup.write('cgroup.freeze', '0');
      const handle = start({ budget: limited(), onExhausted, manual });
      const log = logOf(handle);
      cgroup.write('cgroup.procs', `${process.pid}\n`);
      const stopped = once(handle, 'stopped');
      if (manual) {
        cgroup.cpu({ usage: 2_100, user: 60, system: 40 });
        new TelemetryCollector(undefined, { engine }).collect(handle);
      } else await exceed(handle);
      await stopped;
      const warnings = log.filter(([name]) => name === 'warning');
      expect(warnings).toMatchObject(
        refused.map(() => ['warning', { code: 'ERR_ACTION_FAILED', errno: 'EBUSY' }]),
      );
      expect([text('cgroup.kill'), text('cgroup.freeze')]).toEqual(['0', '0']);
    },
  );

  it('what others charge to the budget exhausts it at the next frame', async () => {
    cgroup.write('cgroup.kill', '');
    const budget = new BudgetTracker({ cpuMs: 10, tokens: 5 });
    const handle = start({ budget, onExhausted: 'kill' });
    const exhausted = once(handle, 'exhausted');
    expect(budget.tryCharge({ tokens: 6 })).not.toBeNull();
    const frame = await handle.sampleNow();
    expect((await exhausted)[0]).toMatchObject({
      resource: 'tokens',
      limit: 5,
      consumed: 6,
      seq: frame.seq,
    });
    await until(() => text('cgroup.kill') === '1');
    cgroup.write('cgroup.events', 'populated 0\nfrozen 0\n');
    await handle.stop();
  });

  it('two sessions of one budget exhaust it together', async () => {
    const budget = new BudgetTracker({ cpuMs: 3 });
    const one = start({ budget });
    const other = start({ budget, baseline: 'zero' });
    const exhausted = once(other, 'exhausted');
    cgroup.cpu({ usage: 2_100, user: 60, system: 40 });
    await one.sampleNow();
    expect(budget.consumed().cpuMs).toBe(2.2);
    await other.sampleNow();
    expect((await exhausted)[0]).toMatchObject({ resource: 'cpuMs', consumed: 4.2 });
    await Promise.all([one.stop(), other.stop()]);
  });

  it('the wall time ends a session when it is over, however long the period', async () => {
    const handle = start({ budget: new BudgetTracker({ wallMs: 30 }) });
    const exhausted = once(handle, 'exhausted');
    const [event] = await exhausted;
    expect(event).toMatchObject({ resource: 'wallMs', limit: 30, action: 'stop' });
    expect(event.consumed).toBeGreaterThanOrEqual(30);
    // On a machine that is busy the first frame may come after the limit: nobody knows then how late that is.
    const lateNs = event.seq === 0 ? null : Math.round((event.consumed - 30) * 1e6);
    expect(event.lateNs).toBe(lateNs);
    expect(event.tsMono - handle.startMonoNs).toBe(Math.round(event.consumed * 1e6));
    await handle.stop();
  });

  it('at the threshold the period is divided and frames are flagged, until a refund', async () => {
    const budget = new BudgetTracker({ cpuMs: 10 });
    const handle = start({ budget });
    const log = logOf(handle);
    expect(handle.snapshot().highFreqActive).toBe(false);
    cgroup.cpu({ usage: 8_000, user: 60, system: 40 });
    const reached = await handle.sampleNow();
    expect(reached.o11yFlags.highFrequency).toBe(true);
    expect(handle.snapshot().highFreqActive).toBe(true);
    // Not yet below fifteen sixteenths of 8 ms.
    budget.reconcile({ cpuMs: 0.5 }, {});
    expect((await handle.sampleNow()).o11yFlags.highFrequency).toBe(true);
    budget.reconcile({ cpuMs: 0.1 }, {});
    expect((await handle.sampleNow()).o11yFlags.highFrequency).toBe(false);
    await handle.stop();
    expect(log.slice(0, -1)).toEqual([
      ['threshold', { resource: 'cpuMs', percent: 80, limit: 10, consumed: 8, seq: reached.seq }],
    ]);
  });

  it('at the threshold frames come at a quarter of the period', async () => {
    cgroup.cpu({ usage: 8_000, user: 60, system: 40 });
    const handle = start({ budget: new BudgetTracker({ cpuMs: 10 }) }, 80);
    await until(() => handle.seq >= 6);
    const frames = await handle.stop();
    const starts = frames.slice(1, 6).map((frame) => frame.tsMono - handle.startMonoNs);
    // Each deadline of its own is a multiple of 20 ms, served no sooner than the slack allows.
    for (const [i, at] of starts.entries()) expect(at).toBeGreaterThanOrEqual((i + 1) * 20e6 - 1e6);
    expect(handle.snapshot().deadlinesMissed + frames.length - 2).toBeGreaterThanOrEqual(
      Math.floor(starts.at(-1)! / 20e6),
    );
    expect(frames.slice(0, -1).every((frame) => frame.o11yFlags.highFrequency)).toBe(true);
  });

  it('a policy without high frequency tells the threshold and samples on as before', async () => {
    const policy = TelemetryPolicy.builder()
      .samplePeriodMs(3_600_000)
      .highFreqEnabled(false)
      .build();
    const collector = new TelemetryCollector(policy, {
      engine,
      cgroupRoot: cgroup.root,
      requireCgroupfs: false,
    });
    const handle = collector.start('fixture', child.pid!, {
      budget: new BudgetTracker({ cpuMs: 2.2 }),
    });
    const threshold = once(handle, 'threshold');
    await exceed(handle);
    expect((await threshold)[0]).toMatchObject({ resource: 'cpuMs', percent: 80 });
    expect(handle.latest()!.o11yFlags.highFrequency).toBe(false);
    await handle.stop();
  });

  it('a tripwire that exhausts is a limit', async () => {
    cgroup.write('cgroup.kill', '');
    const handle = start({
      tripwires: [{ metric: 'memRssBytes', atLeast: 8192, notify: false, exhausts: true }],
      onExhausted: 'kill',
    });
    const exhausted = once(handle, 'exhausted');
    cgroup.memory({ anon: 9000, current: 9000, peak: 16384 });
    await handle.sampleNow();
    expect((await exhausted)[0]).toMatchObject({
      resource: 'memRssBytes',
      limit: 8192,
      consumed: 9000,
      action: 'kill',
    });
    await until(() => text('cgroup.kill') === '1');
    cgroup.write('cgroup.events', 'populated 0\nfrozen 0\n');
    await handle.stop();
  });

  it('stop() while an action is under way waits for it: the terminal frame comes after', async () => {
    cgroup.write('cgroup.kill', '');
    const handle = start({ budget: limited(), onExhausted: 'kill' });
    await exceed(handle);
    const stopped = handle.stop();
    await until(() => text('cgroup.kill') === '1');
    cgroup.cpu({ usage: 2_400, user: 60, system: 40 });
    cgroup.write('cgroup.events', 'populated 0\nfrozen 0\n');
    const frames = await stopped;
    expect(frames.at(-1)).toMatchObject({ cpuNs: 2_400_000, o11yFlags: { terminal: true } });
    expect(frames.filter((frame) => frame.o11yFlags.terminal)).toHaveLength(1);
  });

  it('a budget that was exhausted before the session began acts at once', async () => {
    cgroup.write('cgroup.kill', '');
    const budget = new BudgetTracker({ toolCalls: 1 });
    budget.charge({ toolCalls: 1 });
    const handle = start({ budget, onExhausted: 'kill' });
    const [event] = await once(handle, 'exhausted');
    expect(event).toMatchObject({ resource: 'toolCalls', seq: 0, lateNs: null });
    await until(() => text('cgroup.kill') === '1');
    cgroup.write('cgroup.events', 'populated 0\nfrozen 0\n');
    await handle.stop();
  });

  it('a manual session takes the same actions, after the frame that crossed the limit', async () => {
    cgroup.write('cgroup.freeze', '0');
    const collector = new TelemetryCollector(undefined, {
      engine,
      cgroupRoot: cgroup.root,
      requireCgroupfs: false,
    });
    const handle = collector.start('fixture', child.pid!, {
      manual: true,
      budget: limited(),
      onExhausted: 'kill',
    });
    const log = logOf(handle);
    cgroup.cpu({ usage: 2_100, user: 60, system: 40 });
    const crossing = collector.collect(handle);
    expect(log.map(([name]) => name)).toEqual(['threshold', 'exhausted']);
    await until(() => text('cgroup.freeze') === '1');
    cgroup.write('cgroup.events', 'populated 1\nfrozen 1\n');
    const frames = await handle.stop();
    expect(frames.map(({ seq, o11yFlags }) => [seq, o11yFlags.terminal])).toEqual([
      [crossing.seq, false],
      [crossing.seq + 1, true],
    ]);
    expect(log.map(([name]) => name)).toEqual(['threshold', 'exhausted', 'warning', 'stopped']);
  });

  it('an action on this process, its parent or its cgroup is refused before anything runs', () => {
    const collector = new TelemetryCollector(undefined, { engine });
    const budget = limited();
    for (const pid of [process.pid, process.ppid, 1]) {
      for (const onExhausted of ['kill', 'freeze'] as const) {
        expect(() => collector.start('own', pid, { tier: 'proc', budget, onExhausted })).toThrow(
          expect.objectContaining({
            code: 'ERR_INVALID_CONFIG',
            message: expect.stringContaining('this process'),
          }),
        );
      }
    }
    const mount = findCgroup2Mount();
    if (mount === null) console.log('no cgroup2 mount here: its root is not refused');
    else {
      expect(() =>
        collector.start('own', child.pid!, { cgroupPath: mount, budget, onExhausted: 'freeze' }),
      ).toThrow(
        expect.objectContaining({
          code: 'ERR_INVALID_CONFIG',
          message: expect.stringContaining('it lives in'),
        }),
      );
    }
    expect(() => collector.start('own', process.pid, { onExhausted: 'burn' as 'kill' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }),
    );
  });
});
