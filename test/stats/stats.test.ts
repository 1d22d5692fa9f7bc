import { describe, expect, expectTypeOf, test } from 'vitest';
import { CgroupError } from '../../src/error/index.js';
import { MAX_FRAME_BYTES, MAX_FRAME_NS } from '../../src/frame/index.js';
import { CpuStats, IoStats, MemoryStats, ResourceStats } from '../../src/stats/index.js';

const code = (value: string) => expect.objectContaining({ code: value });

describe('cpu', () => {
  test('INV-CPU001: usageNs ≥ userNs + systemNs: the constructor raises it, tryNew refuses', () => {
    const init = { source: 'cgroup', usageNs: 5, userNs: 4, systemNs: 3 } as const;
    expect(new CpuStats(init).usageNs).toBe(7);
    expect(() => CpuStats.tryNew(init)).toThrow(code('ERR_INVARIANT'));
    expect(CpuStats.tryNew({ ...init, usageNs: 7 }).usageNs).toBe(7);
  });

  test('tells ms, and null for what is absent', () => {
    const stats = new CpuStats({ source: 'proc', usageNs: 1_500_000 });
    expect(stats).toMatchObject({
      usageMs: 1.5,
      userNs: null,
      throttledNs: null,
      nrThrottled: null,
      source: 'proc',
      isAvailable: true,
      error: null,
    });
    expect(new CpuStats<bigint>({ source: 'cgroup', usageNs: 1_999_999n }).usageMs).toBe(1n);
  });
});

describe('memory', () => {
  test('INV-MEM001: peakBytes ≥ rssBytes: the constructor raises it, tryNew refuses', () => {
    const init = { source: 'cgroup', rssBytes: 5, peakBytes: 4 } as const;
    expect(new MemoryStats(init).peakBytes).toBe(5);
    expect(() => MemoryStats.tryNew(init)).toThrow(code('ERR_INVARIANT'));
    expect(MemoryStats.tryNew({ ...init, peakBytes: 5 }).peakBytes).toBe(5);
    expect(MemoryStats.tryNew({ source: 'cgroup', rssBytes: 5 }).peakBytes).toBe(null);
  });

  test('tells MiB and all page faults', () => {
    const stats = new MemoryStats({
      source: 'cgroup',
      rssBytes: 3 * 2 ** 19,
      pageFaultsMajor: 1,
      pageFaultsMinor: 2,
    });
    expect(stats.rssMib).toBe(1.5);
    expect(stats.pageFaults).toBe(3);
    expect(new MemoryStats({ source: 'proc', pageFaultsMinor: 2 }).pageFaults).toBe(2);
    expect(new MemoryStats({ source: 'proc' }).pageFaults).toBe(null);
  });
});

describe('io', () => {
  test('tells totals, which saturate', () => {
    const stats = new IoStats({ source: 'cgroup', readBytes: 1, writeBytes: 2, readOps: 3 });
    expect(stats.totalBytes).toBe(3);
    expect(stats.totalOps).toBe(3);
    expect(new IoStats({ source: 'proc' }).totalOps).toBe(null);
    const most = new IoStats<bigint>({
      source: 'cgroup',
      readBytes: MAX_FRAME_BYTES,
      writeBytes: 1n,
    });
    expect(most.totalBytes).toBe(MAX_FRAME_BYTES);
  });
});

describe('every part', () => {
  test('INV-TL02: is clamped to 2^63 − 1 by the constructor, refused beyond it by tryNew', () => {
    expect(new CpuStats<bigint>({ source: 'cgroup', usageNs: 2n ** 64n }).usageNs).toBe(
      MAX_FRAME_NS,
    );
    expect(new IoStats({ source: 'cgroup', readOps: 2 ** 70 }).readOps).toBe(2 ** 63);
    expect(() => CpuStats.tryNew<bigint>({ source: 'cgroup', usageNs: 2n ** 63n })).toThrow(
      code('ERR_INVARIANT'),
    );
    expect(() => IoStats.tryNew({ source: 'cgroup', readOps: 2 ** 64 })).toThrow(
      code('ERR_INVARIANT'),
    );
    expect(() => MemoryStats.tryNew({ source: 'cgroup', rssBytes: 2 ** 64 })).toThrow(
      code('ERR_INVARIANT'),
    );
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s', (value) => {
    expect(() => new CpuStats({ source: 'cgroup', usageNs: value })).toThrow(RangeError);
    expect(() => new MemoryStats({ source: 'cgroup', rssBytes: value })).toThrow(
      code('ERR_OUT_OF_RANGE'),
    );
    expect(() => new IoStats({ source: 'cgroup', readBytes: value })).toThrow(
      code('ERR_OUT_OF_RANGE'),
    );
  });

  test('refuses what is no source, no number, no object', () => {
    expect(() => new CpuStats({ source: 'disk' as 'proc' })).toThrow(code('ERR_INVALID_CONFIG'));
    expect(() => new CpuStats({ source: 'proc', usageNs: '5' as never })).toThrow(
      code('ERR_INVALID_CONFIG'),
    );
    expect(() => new IoStats(null as never)).toThrow(code('ERR_INVALID_CONFIG'));
  });

  test('has no values when unavailable, and says why', () => {
    const error = new CgroupError('ERR_CONTROLLER_NOT_ENABLED', 'no io controller');
    for (const stats of [
      CpuStats.unavailable(error),
      MemoryStats.unavailable(error),
      IoStats.unavailable(error),
    ]) {
      expect(stats).toMatchObject({ source: 'unavailable', isAvailable: false, error });
    }
    expect(new CpuStats({ source: 'unavailable', usageNs: 5 }).usageNs).toBe(null);
    expect(() => CpuStats.tryNew({ source: 'unavailable', usageNs: 5 })).toThrow(
      code('ERR_INVARIANT'),
    );
    expect(CpuStats.unavailable().usageMs).toBe(null);
  });

  test('does not change', () => {
    const stats = new CpuStats({ source: 'cgroup', usageNs: 5 });
    expect(() => Object.assign(stats, { usageNs: 6 })).toThrow(TypeError);
  });

  test('has types that follow the mode', () => {
    expectTypeOf(new CpuStats({ source: 'cgroup', usageNs: 5 }).usageNs).toEqualTypeOf<
      number | null
    >();
    expectTypeOf(new CpuStats<bigint>({ source: 'cgroup', usageNs: 5n }).usageMs).toEqualTypeOf<
      bigint | null
    >();
  });
});

describe('resource stats', () => {
  const of = (cpu: 'cgroup' | 'proc' | 'unavailable', io: 'cgroup' | 'proc' | 'unavailable') =>
    new ResourceStats({
      cpu: new CpuStats({ source: cpu }),
      memory: new MemoryStats({ source: 'cgroup' }),
      io: new IoStats({ source: io }),
    });

  test('tell where they come from; an unavailable part does not count against them', () => {
    expect(of('cgroup', 'cgroup')).toMatchObject({
      allAvailable: true,
      hasDegradedSource: false,
      allFromCgroup: true,
    });
    expect(of('cgroup', 'proc')).toMatchObject({
      allAvailable: true,
      hasDegradedSource: true,
      allFromCgroup: false,
    });
    expect(of('cgroup', 'unavailable')).toMatchObject({
      allAvailable: false,
      hasDegradedSource: false,
      allFromCgroup: true,
    });
    expect(ResourceStats.unavailable()).toMatchObject({
      allAvailable: false,
      allFromCgroup: false,
    });
  });

  test('are made of stats only', () => {
    const { cpu, memory } = of('cgroup', 'proc');
    expect(() => new ResourceStats({ cpu, memory, io: {} as IoStats })).toThrow(
      code('ERR_INVALID_CONFIG'),
    );
    expect(() => ResourceStats.tryNew(undefined as never)).toThrow(code('ERR_INVALID_CONFIG'));
  });
});
