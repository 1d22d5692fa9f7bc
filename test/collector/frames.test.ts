import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  TelemetryCollector,
  type TelemetryFrame,
  type TelemetryHandle,
  TelemetryPolicy,
} from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';

describe.each(ENGINES)('frames of a cgroup, engine %s', (engine) => {
  let cgroup: FixtureCgroup;
  let collector: TelemetryCollector;
  let handle: TelemetryHandle;
  const collect = (): TelemetryFrame => collector.collect(handle);

  beforeEach(() => {
    cgroup = new FixtureCgroup();
    collector = new TelemetryCollector(
      TelemetryPolicy.builder().memoryStatPeriodMs(0).ringBufferCapacity(8).build(),
      { engine, cgroupRoot: cgroup.root, requireCgroupfs: false },
    );
    handle = collector.start('fixture', process.pid, { manual: true });
  });

  afterEach(async () => {
    await handle.stop();
    cgroup.remove();
  });

  it('every figure is the kernel file’s, in its unit', () => {
    const frame = collect();
    expect(frame).toMatchObject({
      episodeId: 'fixture',
      seq: 0,
      cpuNs: 100_000,
      cpuUserNs: 60_000,
      cpuSystemNs: 40_000,
      cpuThrottledNs: 5_000,
      cpuNrThrottled: 2,
      memRssBytes: 4096,
      memCurrentBytes: 8192,
      memPeakBytes: 16384,
      pageFaultsMajor: 7,
      pageFaultsMinor: 23,
      ioReadBytes: 512,
      ioWriteBytes: 1024,
      ioReadOps: 3,
      ioWriteOps: 4,
      oomKills: 0,
      pids: 3,
      sources: { cpu: 'cgroup', memory: 'cgroup', io: 'cgroup' },
      source: 'cgroup',
    });
    expect(frame.collectNs).toBeGreaterThan(0);
    expect(frame.isFromCgroup).toBe(true);
    expect(frame.o11yFlags.degraded).toBe(false);
  });

  it('INV-TL01: seq counts the frames of the session from 0', () => {
    expect([collect().seq, collect().seq, collect().seq]).toEqual([0, 1, 2]);
    expect(handle.seq).toBe(3);
  });

  it('INV-TL03: tsMono is CLOCK_MONOTONIC at the read and never decreases', () => {
    const before = Number(process.hrtime.bigint());
    const stamps = Array.from({ length: 5 }, () => collect().tsMono);
    const after = Number(process.hrtime.bigint());
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b));
    expect(stamps[0]).toBeGreaterThanOrEqual(before);
    expect(stamps.at(-1)).toBeLessThanOrEqual(after);
  });

  it('INV-CPU001: usage is at least user + system, and the counters never go back', () => {
    cgroup.cpu({ usage: 100, user: 60, system: 40 });
    collect();
    // The kernel's split steps back by 5, and the parts claim more than the whole.
    cgroup.cpu({ usage: 104, user: 55, system: 60 });
    const stepped = collect();
    expect(stepped.cpuNs).toBe(115_000);
    expect(stepped.cpuUserNs).toBe(60_000);
    expect(stepped.cpuSystemNs).toBe(55_000);
    // A counter that was reset.
    cgroup.cpu({ usage: 3, user: 2, system: 1 });
    expect(collect()).toMatchObject({ cpuNs: 115_000, cpuUserNs: 60_000, cpuSystemNs: 55_000 });
  });

  it('INV-TL02: values saturate at 2^63 − 1', () => {
    cgroup.cpu({ usage: 99999999999999999999999n, user: 1, system: 1 });
    expect(collect().cpuNs).toBe(2 ** 63);
  });

  it('INV-MEM001: the peak is at least the rss', () => {
    cgroup.memory({ anon: 900_000, current: 950_000, peak: 10 });
    expect(collect()).toMatchObject({ memRssBytes: 900_000, memPeakBytes: 900_000 });
    cgroup.memory({ anon: 5, current: 10, peak: 10 });
    expect(collect()).toMatchObject({ memRssBytes: 5, memPeakBytes: 900_000 });
  });

  it('without memory.peak the peak is the highest value seen', () => {
    cgroup.delete('memory.peak');
    cgroup.memory({ anon: 700_000, current: 800_000, peak: 0 });
    cgroup.delete('memory.peak');
    collect();
    cgroup.memory({ anon: 100, current: 200, peak: 0 });
    cgroup.delete('memory.peak');
    expect(collect().memPeakBytes).toBe(800_000);
  });

  it('an absent metric is null, not zero', () => {
    for (const name of ['memory.events', 'pids.current']) cgroup.delete(name);
    cgroup.write('cpu.stat', 'usage_usec 7\nuser_usec 4\nsystem_usec 3\n');
    const frame = collect();
    expect(frame.cpuThrottledNs).toBeNull();
    expect(frame.oomKills).toBeNull();
    expect(frame.pids).toBeNull();
    expect(frame.pressure.cpuSomeNs).toBeNull();
  });

  it('where memory.stat has no anon, rss is memory.current', () => {
    cgroup.write('memory.stat', 'file 5\n');
    expect(collect()).toMatchObject({ memRssBytes: 8192, pageFaultsMajor: null });
  });

  it('exactly one initial and one terminal frame, and nothing after it', async () => {
    collect();
    collect();
    const frames = await handle.stop();
    expect(frames.map((f) => [f.o11yFlags.initial, f.o11yFlags.terminal])).toEqual([
      [true, false],
      [false, false],
      [false, true],
    ]);
    expect([...frames.at(-1)!.quality.cpu]).toEqual(['final']);
    expect((await handle.stop()).length).toBe(3);
    expect(() => collector.collect(handle)).toThrow(
      expect.objectContaining({ code: 'ERR_STOPPED' }),
    );
  });

  it('a session without any frame ends with one that is both', async () => {
    const frames = await handle.stop();
    expect(frames).toHaveLength(1);
    expect(frames[0]!.o11yFlags).toMatchObject({ initial: true, terminal: true });
  });
});

describe.each(ENGINES)('sources of an episode, engine %s', (engine) => {
  let cgroup: FixtureCgroup;

  beforeEach(() => {
    cgroup = new FixtureCgroup();
  });
  afterEach(() => cgroup.remove());

  function start(options: { memoryStatPeriodMs?: number; tier?: 'cgroup' | 'auto' | 'leaf' } = {}) {
    const collector = new TelemetryCollector(
      TelemetryPolicy.builder()
        .memoryStatPeriodMs(options.memoryStatPeriodMs ?? 0)
        .build(),
      { engine, cgroupRoot: cgroup.root, requireCgroupfs: false },
    );
    // The members of the fixture: this process.
    cgroup.write('cgroup.procs', `${process.pid}\n`);
    const handle = collector.start('fixture', process.pid, {
      manual: true,
      tier: options.tier ?? 'auto',
    });
    return { collector, handle, collect: () => collector.collect(handle) };
  }

  it('a part that the cgroup lost comes from /proc, and goes back, with source events and no step back', async () => {
    cgroup.io({ read: 50_000_000_000_000, write: 60_000_000_000_000 });
    const { handle, collect } = start();
    const events: string[] = [];
    handle.on('source', ({ sources, seq }) => events.push(`${seq} ${sources.io}`));
    const first = collect();
    cgroup.delete('io.stat');
    const second = collect();
    cgroup.io({ read: 50_000_000_004_096, write: 60_000_000_000_000 });
    const third = collect();
    cgroup.io({ read: 50_000_000_008_192, write: 60_000_000_000_000 });
    const fourth = collect();

    expect([first, second, third].map((f) => f.sources.io)).toEqual(['cgroup', 'proc', 'cgroup']);
    expect(events).toEqual(['1 proc', '2 cgroup']);
    // Continued from the last published value by the new source's deltas.
    expect(second.ioReadBytes).toBe(50_000_000_000_000);
    expect(third.ioReadBytes! - second.ioReadBytes!).toBe(0);
    expect(fourth.ioReadBytes! - third.ioReadBytes!).toBe(4096);
    expect([...second.quality.io]).toContain('rebased');
    expect([...third.quality.io]).toContain('rebased');
    expect([...fourth.quality.io]).not.toContain('rebased');
    expect(second.o11yFlags.degraded).toBe(true);
    expect(fourth.o11yFlags.degraded).toBe(false);
    await handle.stop();
  });

  it('tier cgroup takes nothing from /proc: the part is unavailable', async () => {
    const { handle, collect } = start({ tier: 'cgroup' });
    collect();
    cgroup.write('memory.current', 'max\n');
    const frame = collect();
    expect(frame.sources).toEqual({ cpu: 'cgroup', memory: 'unavailable', io: 'cgroup' });
    expect(frame.memRssBytes).toBeNull();
    expect(frame.toJSON()).toMatchObject({ mem_rss_bytes: 0 });
    await handle.stop();
  });

  it('a warning of the initial frame reaches who listens after start()', async () => {
    cgroup.write('io.stat', 'no device\n');
    const collector = new TelemetryCollector(undefined, {
      engine,
      cgroupRoot: cgroup.root,
      requireCgroupfs: false,
    });
    const handle = collector.start('fixture', process.pid, { tier: 'cgroup' });
    const [warning] = await once(handle, 'warning');
    expect(warning).toMatchObject({ code: 'ERR_CGROUP_PARSE', file: `${cgroup.path}/io.stat` });
    await handle.stop();
  });

  it('tier leaf takes cpu from the cgroup and the rest from its members', async () => {
    const { handle, collect } = start({ tier: 'leaf' });
    const frame = collect();
    expect(frame.sources).toEqual({ cpu: 'cgroup', memory: 'proc', io: 'proc' });
    expect(frame.cpuNs).toBe(100_000);
    expect(frame.memRssBytes).toBeGreaterThan(10_000_000);
    await handle.stop();
  });

  it('memory.stat is read once a period; the frames between carry its values and say so', async () => {
    const { handle, collect } = start({ memoryStatPeriodMs: 3_600_000 });
    const first = collect();
    cgroup.memory({ anon: 2_000_000, current: 3_000_000, peak: 4_000_000 });
    const second = collect();
    expect([...first.quality.memory]).toEqual([]);
    expect(second).toMatchObject({ memRssBytes: 4096, memCurrentBytes: 3_000_000 });
    expect([...second.quality.memory]).toEqual(['stale']);
    await handle.stop();
  });

  it('every file that fails is told, each once', async () => {
    const { handle, collect } = start();
    const files: string[] = [];
    handle.on('warning', ({ file }) => files.push(file!.slice(cgroup.path.length + 1)));
    for (const file of ['memory.peak', 'memory.events', 'pids.current']) cgroup.write(file, 'x\n');
    const frame = collect();
    collect();
    expect(files).toEqual(['memory.peak', 'memory.events', 'pids.current']);
    expect(frame).toMatchObject({ memPeakBytes: null, oomKills: null, memRssBytes: 4096 });
    cgroup.write('pids.current', '3\n');
    collect();
    cgroup.write('pids.current', 'x\n');
    collect();
    expect(files.slice(3)).toEqual(['pids.current']);
    await handle.stop();
  });

  it('the terminal frame reads memory.stat whatever its period, and is final', async () => {
    const { handle, collect } = start({ memoryStatPeriodMs: 3_600_000 });
    collect();
    cgroup.memory({ anon: 2_000_000, current: 3_000_000, peak: 4_000_000 });
    const terminal = (await handle.stop()).at(-1)!;
    expect(terminal.memRssBytes).toBe(2_000_000);
    expect([...terminal.quality.memory]).toEqual(['final']);
  });

  it('a part that comes back and counts from 0 again goes on from where it was', async () => {
    cgroup.io({ read: 1000, write: 10 });
    const { handle, collect } = start({ tier: 'cgroup' });
    collect();
    cgroup.write('io.stat', 'no device\n');
    expect(collect().ioReadBytes).toBeNull();
    cgroup.io({ read: 300, write: 10 });
    const back = collect();
    expect(back.ioReadBytes).toBe(1000);
    expect([...back.quality.io]).toEqual(['rebased']);
    cgroup.io({ read: 700, write: 10 });
    expect(collect().ioReadBytes).toBe(1400);
    await handle.stop();
  });

  it('a cgroup that is gone leaves its last totals to the terminal frame, and they are not final', async () => {
    const { handle, collect } = start({ tier: 'cgroup' });
    const last = collect();
    cgroup.remove();
    const frame = collect();
    expect(frame.sources).toEqual({ cpu: 'unavailable', memory: 'unavailable', io: 'unavailable' });
    const terminal = (await handle.stop()).at(-1)!;
    expect(terminal).toMatchObject({ cpuNs: last.cpuNs, ioWriteBytes: last.ioWriteBytes });
    expect([...terminal.quality.cpu].sort()).toEqual(['lowerBound', 'stale']);
  });

  it('a part that is carried into the terminal frame is no source event', async () => {
    const { handle, collect } = start({ tier: 'cgroup' });
    const sources: string[] = [];
    handle.on('source', (event) => sources.push(event.sources.io));
    collect();
    cgroup.write('io.stat', 'no device\n');
    collect();
    expect(sources).toEqual(['unavailable']);
    const terminal = (await handle.stop()).at(-1)!;
    expect(terminal.ioReadBytes).toBe(512);
    expect([...terminal.quality.io].sort()).toEqual(['lowerBound', 'stale']);
    expect(sources).toEqual(['unavailable']);
  });

  const GARBAGE: [string, string, string][] = [
    ['cpu.stat', 'usage_usec abc\n', 'ERR_CGROUP_PARSE'],
    ['cpu.stat', '', 'ERR_CGROUP_PARSE'],
    ['memory.current', '\0\0\0', 'ERR_CGROUP_PARSE'],
    ['memory.stat', 'x'.repeat(64 * 1024 + 1), 'ERR_CGROUP_READ'],
    ['io.stat', '254:0 rbytes=-1\n', 'ERR_CGROUP_PARSE'],
  ];
  it.each(GARBAGE)(
    '%s with garbage: a warning that names it, sampling goes on',
    async (name, text, code) => {
      const { handle, collect } = start({ tier: 'cgroup' });
      const warnings: { code: string; file?: string }[] = [];
      handle.on('warning', (error) => warnings.push(error));
      collect();
      cgroup.write(name, text);
      const broken = collect();
      collect();
      const part = name.startsWith('cpu') ? 'cpu' : name.startsWith('io') ? 'io' : 'memory';
      expect(broken.sources[part]).toBe('unavailable');
      expect(warnings).toEqual([expect.objectContaining({ code, file: `${cgroup.path}/${name}` })]);
      cgroup.cpu({ usage: 100, user: 60, system: 40 });
      cgroup.memory({ anon: 4096, current: 8192, peak: 16384 });
      cgroup.io({ read: 512, write: 1024 });
      expect(collect().sources[part]).toBe('cgroup');
      await handle.stop();
    },
  );
});
