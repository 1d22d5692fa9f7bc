import { describe, expect, test } from 'vitest';
import { MAX_FRAME_BYTES, MAX_FRAME_NS, O11yFlags, TelemetryFrame } from '../../src/frame/index.js';

const code = (value: string) => expect.objectContaining({ code: value });

describe('a frame made by hand', () => {
  test('has what it was given, and null for the rest', () => {
    const frame = TelemetryFrame.builder('job', 7)
      .tsMono(99)
      .cpuNs(1_500_000)
      .cpuUserNs(1_000_000)
      .cpuSystemNs(500_000)
      .source('cgroup')
      .o11yFlags(O11yFlags.none.withInitial())
      .pressure({ cpuSomeNs: 4 })
      .quality({ cpu: ['final', 'stale'] })
      .build();
    expect(frame).toMatchObject({
      episodeId: 'job',
      seq: 7,
      tsMono: 99,
      cpuNs: 1_500_000,
      cpuMs: 1.5,
      memRssBytes: null,
      ioReadBytes: null,
      ioTotalBytes: null,
      oomKills: null,
      source: 'cgroup',
      sources: { cpu: 'cgroup', memory: 'unavailable', io: 'unavailable' },
      pressure: { cpuSomeNs: 4, memorySomeNs: null },
      isFromCgroup: true,
      isDegraded: false,
    });
    expect([...frame.quality.cpu].sort()).toEqual(['final', 'stale']);
    expect(frame.quality.io.size).toBe(0);
  });

  test('the type of seq is the mode of every value', () => {
    const frame = TelemetryFrame.builder('job', 0n).cpuNs(3_999_999).ioReadBytes(2n).build();
    expect(frame.seq).toBe(0n);
    expect(frame.tsMono).toBe(0n);
    expect(frame.cpuNs).toBe(3_999_999n);
    expect(frame.cpuMs).toBe(3n);
    expect(frame.ioTotalBytes).toBe(2n);
    const numbers = TelemetryFrame.builder('job', 0).cpuNs(5n).build();
    expect(numbers.cpuNs).toBe(5);
  });

  test('one part from /proc makes it degraded', () => {
    const frame = TelemetryFrame.builder('job', 0)
      .cpuNs(1)
      .memRssBytes(1)
      .source('cgroup')
      .sources({ memory: 'proc' })
      .build();
    expect(frame.isFromCgroup).toBe(true);
    expect(frame.isDegraded).toBe(true);
    expect(
      TelemetryFrame.builder('job', 0).o11yFlags(O11yFlags.none.withDegraded()).build().isDegraded,
    ).toBe(true);
  });

  test('io totals saturate', () => {
    const frame = TelemetryFrame.builder('job', 0n)
      .ioReadBytes(MAX_FRAME_BYTES)
      .ioWriteBytes(5)
      .build();
    expect(frame.ioTotalBytes).toBe(MAX_FRAME_BYTES);
  });

  test.each([0, 0n])('nothing in it can be changed (seq %s)', (seq) => {
    const built = TelemetryFrame.builder('job', seq as number)
      .cpuNs(1)
      .pressure({ cpuSomeNs: 1 });
    for (const frame of [built.build(), TelemetryFrame.fromJSON(built.build().toJSON())]) {
      for (const object of [frame, frame.pressure, frame.sources, frame.quality]) {
        expect(Object.isFrozen(object)).toBe(true);
      }
    }
  });

  test('the sets of quality are shared and cannot be changed', () => {
    const { quality } = TelemetryFrame.builder('job', 0).build();
    expect(() => (quality.cpu as Set<string>).add('final')).toThrow(TypeError);
    expect(() => (quality.cpu as Set<string>).clear()).toThrow(TypeError);
  });
});

describe('INV-TL02: values are bounded by 2^63 − 1', () => {
  test('build() clamps', () => {
    const frame = TelemetryFrame.builder('job', 2n ** 64n)
      .tsMono(2n ** 64n)
      .cpuNs(2n ** 63n)
      .memRssBytes(2n ** 80n)
      .pressure({ ioFullNs: 2n ** 63n })
      .build();
    expect(frame.seq).toBe(MAX_FRAME_NS);
    expect(frame.tsMono).toBe(MAX_FRAME_NS);
    expect(frame.cpuNs).toBe(MAX_FRAME_NS);
    expect(frame.memRssBytes).toBe(MAX_FRAME_BYTES);
    expect(frame.pressure.ioFullNs).toBe(MAX_FRAME_NS);
  });

  test('tryBuild() refuses', () => {
    const above = TelemetryFrame.builder('job', 0).cpuNs(2n ** 63n);
    expect(() => above.tryBuild()).toThrow(code('ERR_INVARIANT'));
    expect(TelemetryFrame.builder('job', 0n).cpuNs(MAX_FRAME_NS).tryBuild().cpuNs).toBe(
      MAX_FRAME_NS,
    );
  });

  test('the number nearest to the bound stands for the bound', () => {
    const frame = TelemetryFrame.builder('job', 0n).cpuNs(Number(MAX_FRAME_NS)).tryBuild();
    expect(frame.cpuNs).toBe(MAX_FRAME_NS);
  });

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, -1n])('%s is a RangeError', (value) => {
    const builder = TelemetryFrame.builder('job', 0);
    expect(() => builder.memRssBytes(value)).toThrow(RangeError);
    expect(() => builder.pressure({ cpuSomeNs: value })).toThrow(code('ERR_OUT_OF_RANGE'));
    expect(() => TelemetryFrame.builder('job', value as number)).toThrow(code('ERR_OUT_OF_RANGE'));
  });
});

describe('INV-CPU001: cpuNs ≥ cpuUserNs + cpuSystemNs', () => {
  const builder = () => TelemetryFrame.builder('job', 0).cpuNs(5).cpuUserNs(4).cpuSystemNs(3);

  test('build() raises the usage', () => {
    expect(builder().build().cpuNs).toBe(7);
  });

  test('tryBuild() refuses', () => {
    expect(() => builder().tryBuild()).toThrow(code('ERR_INVARIANT'));
    expect(builder().cpuNs(7).tryBuild().cpuNs).toBe(7);
  });

  test('the sum saturates', () => {
    const frame = TelemetryFrame.builder('job', 0n)
      .cpuNs(0)
      .cpuUserNs(MAX_FRAME_NS)
      .cpuSystemNs(MAX_FRAME_NS)
      .build();
    expect(frame.cpuNs).toBe(MAX_FRAME_NS);
  });

  test('an absent usage stays absent', () => {
    expect(builder().cpuNs(null).build().cpuNs).toBe(null);
  });
});

describe('INV-MEM001: memPeakBytes ≥ memRssBytes', () => {
  const builder = () => TelemetryFrame.builder('job', 0).memRssBytes(5).memPeakBytes(4);

  test('build() raises the peak', () => {
    expect(builder().build().memPeakBytes).toBe(5);
  });

  test('tryBuild() refuses', () => {
    expect(() => builder().tryBuild()).toThrow(code('ERR_INVARIANT'));
    expect(builder().memPeakBytes(5).tryBuild().memPeakBytes).toBe(5);
  });
});

describe('an unavailable part has no values', () => {
  const builder = () => TelemetryFrame.builder('job', 0).cpuNs(5).source('unavailable');

  test('build() drops them', () => {
    expect(builder().build().cpuNs).toBe(null);
  });

  test('tryBuild() refuses', () => {
    expect(() => builder().tryBuild()).toThrow(code('ERR_INVARIANT'));
  });
});

test('bad ids, sources, flags and qualities are refused', () => {
  expect(() => TelemetryFrame.builder('a/b', 0)).toThrow(code('ERR_INVALID_EPISODE_ID'));
  const builder = TelemetryFrame.builder('job', 0);
  expect(() => builder.source('disk' as 'proc')).toThrow(code('ERR_INVALID_CONFIG'));
  expect(() => builder.sources({ io: 'disk' as 'proc' })).toThrow(code('ERR_INVALID_CONFIG'));
  expect(() => builder.o11yFlags({} as O11yFlags)).toThrow(code('ERR_INVALID_CONFIG'));
  expect(() => builder.quality({ io: ['good' as 'final'] })).toThrow(code('ERR_INVALID_CONFIG'));
});
