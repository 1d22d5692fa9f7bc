import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_FRAME_NS, O11yFlags, TelemetryFrame } from '../../src/frame/index.js';

const code = (value: string) => expect.objectContaining({ code: value });

const WIRE_KEYS = [
  'episode_id',
  'seq',
  'ts_mono',
  'cpu_ns',
  'cpu_user_ns',
  'cpu_system_ns',
  'mem_rss_bytes',
  'mem_peak_bytes',
  'io_read_bytes',
  'io_write_bytes',
  'source',
  'o11y_flags',
];
const FURTHER_KEYS = [
  'mem_current_bytes',
  'page_faults_major',
  'page_faults_minor',
  'io_read_ops',
  'io_write_ops',
  'cpu_throttled_ns',
  'cpu_nr_throttled',
  'oom_kills',
  'pids',
  'pressure',
  'collect_ns',
  'sources',
  'quality',
];

const full = () =>
  TelemetryFrame.builder('job', 3)
    .tsMono(1000)
    .cpuNs(30)
    .cpuUserNs(20)
    .cpuSystemNs(10)
    .memRssBytes(4096)
    .memPeakBytes(8192)
    .ioReadBytes(1)
    .ioWriteBytes(2)
    .memCurrentBytes(5000)
    .pageFaultsMajor(1)
    .pageFaultsMinor(2)
    .ioReadOps(3)
    .ioWriteOps(4)
    .cpuThrottledNs(5)
    .cpuNrThrottled(6)
    .oomKills(0)
    .pids(7)
    .collectNs(9000)
    .pressure({ cpuSomeNs: 1, memorySomeNs: 2, memoryFullNs: 3, ioSomeNs: 4, ioFullNs: 5 })
    .source('cgroup')
    .sources({ memory: 'proc' })
    .quality({ cpu: ['final'], memory: ['stale', 'lowerBound'] })
    .o11yFlags(O11yFlags.none.withTerminal());

describe('the twelve-field wire form', () => {
  test('has exactly its twelve fields in order', () => {
    expect(Object.keys(full().build().toJSON())).toEqual(WIRE_KEYS);
    expect(Object.keys(JSON.parse(JSON.stringify(full().build())))).toEqual(WIRE_KEYS);
  });

  test('writes 0 for what is absent, and its source says why', () => {
    expect(TelemetryFrame.builder('job', 0).build().toJSON()).toMatchObject({
      cpu_ns: 0,
      mem_peak_bytes: 0,
      source: 'unavailable',
    });
  });

  test('a frame of bigints is written as numbers', () => {
    const frame = TelemetryFrame.builder('job', 1n)
      .cpuNs(2n ** 60n)
      .build();
    expect(JSON.parse(JSON.stringify(frame))).toMatchObject({ seq: 1, cpu_ns: 2 ** 60 });
  });
});

describe('NDJSON', () => {
  test('has the twelve fields first and the further ones after, on one line', () => {
    const line = full().build().toNDJSON();
    expect(line).not.toContain('\n');
    expect(Object.keys(JSON.parse(line))).toEqual([...WIRE_KEYS, ...FURTHER_KEYS]);
    expect(JSON.parse(line)).toMatchObject({
      ...full().build().toJSON(),
      oom_kills: 0,
      pids: 7,
      pressure: {
        cpu_some_ns: 1,
        memory_some_ns: 2,
        memory_full_ns: 3,
        io_some_ns: 4,
        io_full_ns: 5,
      },
      sources: { cpu: 'cgroup', memory: 'proc', io: 'cgroup' },
      quality: { cpu: ['final'], memory: ['lowerBound', 'stale'], io: [] },
    });
  });

  test('writes null for an absent further field and 0 for an absent one of the twelve', () => {
    expect(JSON.parse(TelemetryFrame.builder('job', 0).build().toNDJSON())).toMatchObject({
      cpu_ns: 0,
      io_write_bytes: 0,
      mem_current_bytes: null,
      oom_kills: null,
      collect_ns: null,
      pressure: { cpu_some_ns: null },
      sources: { cpu: 'unavailable', memory: 'unavailable', io: 'unavailable' },
    });
  });

  test('holds the exact digits of 64-bit values, of frames of numbers too', () => {
    const odd = 2n ** 62n + 1n;
    for (const builder of [TelemetryFrame.builder('job', 0), TelemetryFrame.builder('job', 0n)]) {
      const frame = builder
        .tsMono(odd)
        .cpuNs(odd)
        .pressure({ ioSomeNs: odd })
        .pids(MAX_FRAME_NS)
        .build();
      const line = frame.toNDJSON();
      expect(line).toContain(`"ts_mono":${odd},`);
      expect(line).toContain(`"cpu_ns":${odd},`);
      expect(line).toContain(`"io_some_ns":${odd},`);
      expect(line).toContain(`"pids":${MAX_FRAME_NS},`);
    }
  });
});

describe('fromJSON', () => {
  test('gives back what toJSON and toNDJSON wrote', () => {
    const frame = full().sources({ memory: 'cgroup' }).build();
    expect(TelemetryFrame.fromJSON(frame.toJSON()).toJSON()).toEqual(frame.toJSON());
    const again = TelemetryFrame.fromJSON(JSON.parse(full().build().toNDJSON()));
    expect(again).toEqual(full().build());
    expect(again.toNDJSON()).toBe(full().build().toNDJSON());
  });

  test('keeps nothing of the object it was given', () => {
    const json = JSON.parse(full().build().toNDJSON());
    const frame = TelemetryFrame.fromJSON(json);
    json.sources.cpu = 'proc';
    json.pressure.cpu_some_ns = 99;
    json.quality.cpu.push('stale');
    expect(frame).toEqual(full().build());
  });

  test('INV-CPU001: takes back what doubles beyond 2^53 rounded', () => {
    const half = fc.bigInt({ min: 2n ** 52n, max: 2n ** 62n - 1n });
    fc.assert(
      fc.property(half, half, fc.bigInt({ min: 0n, max: 5n }), (user, system, more) => {
        const line = TelemetryFrame.builder('job', 1)
          .cpuNs(user + system + more)
          .cpuUserNs(user)
          .cpuSystemNs(system)
          .build()
          .toNDJSON();
        const { cpuNs, cpuUserNs, cpuSystemNs } = TelemetryFrame.fromJSON(JSON.parse(line), {
          bigint: true,
        });
        const sum = cpuUserNs! + cpuSystemNs!;
        expect(cpuNs! >= (sum > MAX_FRAME_NS ? MAX_FRAME_NS : sum)).toBe(true);
      }),
    );
  });

  test.each([
    ['beyond what rounding can do', Number],
    ['of exact bigints', (value: bigint) => value],
  ])('INV-CPU001: a usage below its parts is refused %s', (what, form) => {
    const missing = what === 'of exact bigints' ? 1n : 2n ** 20n;
    const cpu = {
      cpu_ns: form(2n ** 62n - missing),
      cpu_user_ns: form(2n ** 61n),
      cpu_system_ns: form(2n ** 61n),
    };
    expect(() => TelemetryFrame.fromJSON({ ...full().build().toJSON(), ...cpu })).toThrow(
      code('ERR_INVARIANT'),
    );
  });

  test('gives bigints where asked, of numbers and bigints', () => {
    const json = { ...full().build().toJSON(), cpu_ns: 2n ** 62n + 1n };
    const frame = TelemetryFrame.fromJSON(json, { bigint: true });
    expect(frame.cpuNs).toBe(2n ** 62n + 1n);
    expect(frame.seq).toBe(3n);
    expect(TelemetryFrame.fromJSON(json).toNDJSON()).toContain(`"cpu_ns":${2n ** 62n + 1n},`);
  });

  test('any frame survives the round trip', () => {
    const value = fc.option(fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }), { nil: null });
    const source = fc.constantFrom('cgroup', 'proc', 'unavailable');
    fc.assert(
      fc.property(
        fc.tuple(value, value, value, value, value, value, value),
        fc.tuple(source, source, source),
        ([cpu, user, rss, peak, read, ops, pids], [ofCpu, ofMemory, ofIo]) => {
          const frame = TelemetryFrame.builder('job', 1)
            .cpuNs(cpu)
            .cpuUserNs(user)
            .memRssBytes(rss)
            .memPeakBytes(peak)
            .ioReadBytes(read)
            .ioWriteOps(ops)
            .pids(pids)
            .sources({ cpu: ofCpu, memory: ofMemory, io: ofIo })
            .build();
          const line = frame.toNDJSON();
          expect(TelemetryFrame.fromJSON(JSON.parse(line)).toNDJSON()).toBe(line);
          const short = JSON.stringify(frame);
          expect(JSON.stringify(TelemetryFrame.fromJSON(JSON.parse(short)))).toBe(short);
        },
      ),
    );
  });

  test('the fields of an unavailable part are null', () => {
    const frame = TelemetryFrame.fromJSON({
      ...full().build().toJSON(),
      mem_current_bytes: 9,
      sources: { cpu: 'cgroup', memory: 'unavailable', io: 'cgroup' },
    });
    expect(frame.memRssBytes).toBe(null);
    expect(frame.memCurrentBytes).toBe(null);
    expect(frame.cpuNs).toBe(30);
    expect(TelemetryFrame.fromJSON(TelemetryFrame.builder('job', 0).build().toJSON()).cpuNs).toBe(
      null,
    );
  });

  test('what is known under an unavailable source has the weaker one', () => {
    const json = { ...full().build().toJSON(), source: 'unavailable' };
    const frame = TelemetryFrame.fromJSON(json);
    expect(frame.cpuNs).toBe(null);
    expect(frame.memRssBytes).toBe(4096);
    expect(frame.sources).toEqual({ cpu: 'unavailable', memory: 'proc', io: 'proc' });
  });

  const json = () => full().build().toJSON();

  test.each(WIRE_KEYS)('%s is required', (key) => {
    const { [key]: _, ...rest } = json() as unknown as Record<string, unknown>;
    expect(() => TelemetryFrame.fromJSON(rest)).toThrow(code('ERR_INVALID_CONFIG'));
  });

  test.each([
    ['an unknown field', { extra: 1 }, 'ERR_INVALID_CONFIG'],
    ['the camelCase name', { cpuNs: 1 }, 'ERR_INVALID_CONFIG'],
    ['a bad id', { episode_id: 'a/b' }, 'ERR_INVALID_EPISODE_ID'],
    ['a number as text', { cpu_ns: '5' }, 'ERR_INVALID_CONFIG'],
    ['null among the twelve', { cpu_ns: null }, 'ERR_INVALID_CONFIG'],
    ['a negative', { cpu_ns: -1 }, 'ERR_OUT_OF_RANGE'],
    ['a fraction', { seq: 1.5 }, 'ERR_OUT_OF_RANGE'],
    ['more than 2^63 − 1', { cpu_ns: 2 ** 64 }, 'ERR_OUT_OF_RANGE'],
    ['a negative further field', { pids: -1 }, 'ERR_OUT_OF_RANGE'],
    ['a source that does not exist', { source: 'disk' }, 'ERR_INVALID_CONFIG'],
    ['flags that are none', { o11y_flags: {} }, 'ERR_INVALID_CONFIG'],
    ['an unknown flag', { o11y_flags: { ...json().o11y_flags, loud: true } }, 'ERR_INVALID_CONFIG'],
    ['a flag of 1', { o11y_flags: { ...json().o11y_flags, initial: 1 } }, 'ERR_INVALID_CONFIG'],
    ['half a pressure', { pressure: { cpu_some_ns: 1 } }, 'ERR_INVALID_CONFIG'],
    ['half of the sources', { sources: { cpu: 'cgroup' } }, 'ERR_INVALID_CONFIG'],
    [
      'sources that contradict the source',
      { sources: { cpu: 'proc', memory: 'proc', io: 'proc' } },
      'ERR_INVARIANT',
    ],
    [
      'an unknown quality',
      { quality: { cpu: ['good'], memory: [], io: [] } },
      'ERR_INVALID_CONFIG',
    ],
    [
      'a quality that is text',
      { quality: { cpu: 'final', memory: [], io: [] } },
      'ERR_INVALID_CONFIG',
    ],
    ['INV-CPU001 broken', { cpu_ns: 29 }, 'ERR_INVARIANT'],
    ['INV-MEM001 broken', { mem_peak_bytes: 4095 }, 'ERR_INVARIANT'],
  ])('%s is refused', (_what, change, expected) => {
    expect(() => TelemetryFrame.fromJSON({ ...json(), ...change })).toThrow(code(expected));
  });

  test.each([null, undefined, 5, 'x', [], [json()]])('%j is no frame', (value) => {
    expect(() => TelemetryFrame.fromJSON(value)).toThrow(code('ERR_INVALID_CONFIG'));
  });

  test('a prototype is no field', () => {
    const polluted = JSON.parse(`{"__proto__":{"cpu_ns":1},${JSON.stringify(json()).slice(1)}`);
    expect(() => TelemetryFrame.fromJSON(polluted)).toThrow(code('ERR_INVALID_CONFIG'));
  });
});
