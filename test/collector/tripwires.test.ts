import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type HandleEvents,
  TelemetryCollector,
  type TelemetryHandle,
  TelemetryPolicy,
  type Tripwire,
} from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';
import { blockUntil, until } from './waiting.js';

const code = (expected: string) => expect.objectContaining({ code: expected });

describe.each(ENGINES)('tripwires, engine %s', (engine) => {
  // The kernel's files change only between two frames that the test asks for.
  function start(tripwires: readonly Tripwire[], highFreqEnabled = true) {
    const cgroup = new FixtureCgroup();
    const policy = TelemetryPolicy.builder()
      .samplePeriodMs(3_600_000)
      .memoryStatPeriodMs(0)
      .highFreqEnabled(highFreqEnabled)
      .build();
    const collector = new TelemetryCollector(policy, { engine, requireCgroupfs: false });
    const handle = collector.start('fixture', process.pid, { cgroupPath: cgroup.path, tripwires });
    const events = eventsOf(handle);
    onTestFinished(async () => {
      await handle.stop();
      cgroup.remove();
    });
    return { cgroup, handle, events };
  }

  it('the frame that reaches one is flagged and told, once; counters stay there', async () => {
    const { cgroup, handle, events } = start([
      { metric: 'cpuNs', atLeast: 1_000_000, speedUp: true },
    ]);
    cgroup.cpu({ usage: 999, user: 60, system: 40 });
    expect((await handle.sampleNow()).o11yFlags.highFrequency).toBe(false);
    expect(handle.snapshot().highFreqActive).toBe(false);
    cgroup.cpu({ usage: 1_000, user: 60, system: 40 });
    const tripping = await handle.sampleNow();
    expect(tripping.o11yFlags.highFrequency).toBe(true);
    expect(handle.snapshot().highFreqActive).toBe(true);
    expect((await handle.sampleNow()).o11yFlags.highFrequency).toBe(true);
    expect(events).toEqual([
      { metric: 'cpuNs', atLeast: 1_000_000, value: 1_000_000, seq: tripping.seq },
    ]);
    await handle.stop();
    expect(handle.snapshot().highFreqActive).toBe(false);
  });

  it('memory is released below 15/16 of its threshold, and can be told again', async () => {
    const { cgroup, handle, events } = start([
      { metric: 'memRssBytes', atLeast: 16_000n, speedUp: true },
    ]);
    const fastAt = async (anon: number): Promise<boolean> => {
      cgroup.memory({ anon, current: 20_000, peak: 20_000 });
      return (await handle.sampleNow()).o11yFlags.highFrequency;
    };
    expect(await fastAt(16_000)).toBe(true);
    expect(await fastAt(15_000)).toBe(true);
    expect(await fastAt(17_000)).toBe(true);
    expect(await fastAt(14_999)).toBe(false);
    expect(await fastAt(15_999)).toBe(false);
    expect(await fastAt(16_001)).toBe(true);
    expect(events).toEqual([
      { metric: 'memRssBytes', atLeast: 16_000, value: 16_000, seq: 1 },
      { metric: 'memRssBytes', atLeast: 16_000, value: 16_001, seq: 6 },
    ]);
  });

  it('io is what was read and written; each does what it was told to', async () => {
    const { cgroup, handle, events } = start([
      { metric: 'ioBytes', atLeast: 10_000, notify: false, speedUp: true },
      { metric: 'ioBytes', atLeast: 20_000 },
    ]);
    cgroup.io({ read: 5_000, write: 4_999 });
    expect((await handle.sampleNow()).o11yFlags.highFrequency).toBe(false);
    cgroup.io({ read: 5_000, write: 5_000 });
    expect((await handle.sampleNow()).o11yFlags.highFrequency).toBe(true);
    expect(events).toEqual([]);
    cgroup.io({ read: 15_000, write: 5_000 });
    await handle.sampleNow();
    expect(events).toEqual([{ metric: 'ioBytes', atLeast: 20_000, value: 20_000, seq: 3 }]);
  });

  it('where the policy disables high frequency none speeds up, and it is told all the same', async () => {
    const { cgroup, handle, events } = start(
      [{ metric: 'ioBytes', atLeast: 10_000, speedUp: true }],
      false,
    );
    cgroup.io({ read: 10_000, write: 0 });
    expect((await handle.sampleNow()).o11yFlags.highFrequency).toBe(false);
    expect(events).toHaveLength(1);
  });

  it('the sampler acts while the event loop is blocked', async () => {
    const policy = TelemetryPolicy.builder().samplePeriodMs(4).build();
    const cpu = process.cpuUsage();
    const atLeast = (cpu.user + cpu.system) * 1000 + 100e6;
    await using handle = new TelemetryCollector(policy, { engine }).start('own', process.pid, {
      tripwires: [{ metric: 'cpuNs', atLeast, speedUp: true }],
    });
    const events = eventsOf(handle);
    blockUntil(() => handle.snapshot().highFreqActive);
    expect(events).toEqual([]);
    await until(() => events.length > 0);
    const told = handle.readFrames()[events[0]!.seq]!;
    expect(told.o11yFlags.highFrequency).toBe(true);
    expect(events[0]).toMatchObject({ metric: 'cpuNs', value: told.cpuNs });
    expect(told.cpuNs).toBeGreaterThanOrEqual(atLeast);
  });

  it.each<[string, unknown]>([
    ['no list', { metric: 'cpuNs', atLeast: 1 }],
    ['a list of something else', [7]],
    ['with another metric', [{ metric: 'pids', atLeast: 1 }]],
    ['that does nothing', [{ metric: 'cpuNs', atLeast: 1, notify: false }]],
    ['with a flag that is none', [{ metric: 'cpuNs', atLeast: 1, speedUp: 1 }]],
    ['without a threshold', [{ metric: 'cpuNs' }]],
    ['of more than 16', Array.from({ length: 17 }, () => ({ metric: 'cpuNs', atLeast: 1 }))],
  ])('what is %s is ERR_INVALID_CONFIG', (_, tripwires) => {
    const collector = new TelemetryCollector(undefined, { engine });
    expect(() =>
      collector.start('wrong', process.pid, { tripwires: tripwires as Tripwire[] }),
    ).toThrow(code('ERR_INVALID_CONFIG'));
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, -1n, 2n ** 63n])(
    'a threshold of %s is a RangeError',
    (atLeast) => {
      const collector = new TelemetryCollector(undefined, { engine });
      const start = () =>
        collector.start('wrong', process.pid, { tripwires: [{ metric: 'cpuNs', atLeast }] });
      expect(start).toThrow(RangeError);
      expect(start).toThrow(code('ERR_OUT_OF_RANGE'));
    },
  );

  it('a manual session, which nothing samples, has none', () => {
    const collector = new TelemetryCollector(undefined, { engine });
    expect(() => collector.start('wrong', process.pid, { manual: true, tripwires: [] })).toThrow(
      code('ERR_INVALID_CONFIG'),
    );
  });
});

function eventsOf(handle: TelemetryHandle): HandleEvents['threshold'][0][] {
  const events: HandleEvents['threshold'][0][] = [];
  handle.on('threshold', (event) => events.push(event));
  return events;
}
