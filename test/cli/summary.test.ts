import { describe, expect, test } from 'vitest';
import { Measurement } from '../../src/cli/measurement.js';
import { type RunSummary, renderSummary, summaryToJson } from '../../src/cli/summary.js';
import { TelemetryFrame } from '../../src/frame/index.js';

const CGROUP = { cpu: 'cgroup', memory: 'cgroup', io: 'cgroup' } as const;

/** Frames 0.5 s apart, as a full cgroup gives them. */
function fullRun(): Measurement {
  const totals = new Measurement();
  const cpuMs = [0, 450, 1450, 1700, 1900];
  cpuMs.forEach((ms, index) => {
    totals.add(
      TelemetryFrame.fromJSON(
        {
          ...WIRE,
          seq: index,
          ts_mono: 1_000_000_000 + index * 500_000_000,
          cpu_ns: ms * 1e6,
          cpu_user_ns: ms * 0.75e6,
          cpu_system_ns: ms * 0.25e6,
          mem_rss_bytes: index === 2 ? 50 << 20 : 1 << 20,
          mem_peak_bytes: index < 2 ? 1 << 20 : 64 << 20,
          io_read_bytes: index * 4096,
          io_write_bytes: index * 1_048_576,
          mem_current_bytes: 60 << 20,
          cpu_throttled_ns: 2_500_000,
          oom_kills: 0,
          collect_ns: 20_000,
        },
        { bigint: true },
      ),
    );
  });
  return totals;
}

const WIRE = {
  episode_id: 'job',
  source: 'cgroup',
  sources: CGROUP,
  o11y_flags: {
    high_frequency: false,
    promoted: false,
    degraded: false,
    initial: false,
    terminal: false,
  },
};

function summary(totals: Measurement, more: Partial<RunSummary> = {}): RunSummary {
  return {
    episodeId: 'job',
    command: ['make', '-j8'],
    exitCode: 0,
    signal: null,
    wallNs: 2_000_000_000n,
    engine: 'native',
    periodMs: 500,
    degradedReason: null,
    totals,
    exhausted: null,
    uses: [],
    measuredNs: null,
    ...more,
  };
}

describe('the summary for people', () => {
  test('of a full cgroup', () => {
    expect(renderSummary(summary(fullRun()))).toBe(`\
episcope job: exit status 0 after 2.000 s
  cpu        1.900 s, 95 % of one core  ▄█▃▂ (full: 2.0 cores)
             user 1.425 s, system 475.0 ms, throttled 2.5 ms
  memory     peak 64.0 MiB, highest rss 50.0 MiB, highest current 60.0 MiB
  io         read 16.0 KiB, written 4.0 MiB
  oom kills  0
  sources    cpu cgroup, memory cgroup, io cgroup
  frames     5 taken, 0 deadlines missed, one every 500 ms (native engine)
  cost       100 µs spent measuring, 0.01 % of the run
`);
  });

  test('of a degraded run that a signal ended, with what it could not know', () => {
    const totals = new Measurement();
    totals.add(
      TelemetryFrame.fromJSON(
        {
          ...WIRE,
          seq: 0,
          ts_mono: 1,
          cpu_ns: 1_500_000,
          cpu_user_ns: 0,
          cpu_system_ns: 0,
          mem_rss_bytes: 0,
          mem_peak_bytes: 0,
          io_read_bytes: 100,
          io_write_bytes: 0,
          source: 'proc',
          sources: { cpu: 'proc', memory: 'unavailable', io: 'proc' },
          quality: { cpu: ['lowerBound'], memory: [], io: ['lowerBound'] },
        },
        { bigint: true },
      ),
    );
    totals.missed = 3;
    totals.deadlinesMissed = 1;
    const text = renderSummary(
      summary(totals, {
        exitCode: null,
        signal: 'SIGKILL',
        engine: 'js',
        wallNs: 3_723_000_000_000n,
        degradedReason: 'because',
      }),
      ['a file went bad'],
    );
    expect(text).toBe(`\
episcope job: ended by SIGKILL after 1 h 02 min 03 s
  cpu        at least 1.5 ms, 0.00 % of one core
             user 0 µs, system 0 µs
  memory     not measured
  io         read at least 100 B, written at least 0 B
  oom kills  not available
  sources    cpu proc, memory unavailable, io proc
  frames     4 taken, 3 of them not read, 1 deadline missed, one every 500 ms (js engine)
  cost       0 µs spent measuring, 0 % of the run
  degraded   because
  warning    a file went bad
`);
  });

  test('of a run of which it is not known how it ended', () => {
    const text = renderSummary(summary(fullRun(), { exitCode: null }));
    expect(text).toMatch(/^episcope job: exit status unknown after 2\.000 s\n/);
  });

  test('of a run that was never measured', () => {
    expect(renderSummary(summary(new Measurement()))).toContain('  cpu        not available\n');
  });
});

/** Frames as the process tree gives them: memory from /proc, and how many tasks lived at the read. */
function treeRun(...frames: { rss: number; peak: number; pids: number | null }[]): Measurement {
  const totals = new Measurement();
  frames.forEach(({ rss, peak, pids }, seq) => {
    totals.add(
      TelemetryFrame.fromJSON(
        {
          ...WIRE,
          seq,
          ts_mono: seq,
          cpu_ns: 0,
          cpu_user_ns: 0,
          cpu_system_ns: 0,
          mem_rss_bytes: rss,
          mem_peak_bytes: peak,
          io_read_bytes: 0,
          io_write_bytes: 0,
          pids,
          source: 'proc',
          sources: { cpu: 'proc', memory: 'proc', io: 'proc' },
          // The terminal frame carries the memory of the one before, and nobody is left to be counted.
          o11y_flags: { ...WIRE.o11y_flags, initial: seq === 0, terminal: pids === null },
        },
        { bigint: true },
      ),
    );
  });
  return totals;
}

describe('memory', () => {
  test('of a run that was over before any look at it was not measured', () => {
    const totals = treeRun({ rss: 0, peak: 0, pids: 0 }, { rss: 0, peak: 0, pids: null });
    expect(JSON.parse(summaryToJson(summary(totals)))).toMatchObject({
      mem_rss_max_bytes: null,
      mem_current_max_bytes: null,
      mem_peak_bytes: null,
      sources: { cpu: 'proc', memory: 'unavailable', io: 'proc' },
    });
    expect(renderSummary(summary(totals))).toContain('  memory     not measured\n');
  });

  test('of 0 that was read while something lived is 0', () => {
    const totals = treeRun(
      { rss: 0, peak: 0, pids: 0 },
      { rss: 0, peak: 0, pids: 1 },
      { rss: 0, peak: 0, pids: null },
    );
    expect(totals).toMatchObject({ memRssMaxBytes: 0n, memPeakBytes: 0n });
    expect(totals.parts.memory.source).toBe('proc');
  });

  test('that only the first look saw, when nothing had begun, was not measured', () => {
    const totals = treeRun({ rss: 5, peak: 6, pids: 1 }, { rss: 0, peak: 0, pids: null });
    expect(renderSummary(summary(totals))).toContain('  memory     not measured\n');
    expect(JSON.parse(summaryToJson(summary(totals)))).toMatchObject({
      mem_rss_max_bytes: null,
      mem_peak_bytes: null,
      quality: { memory: [] },
    });
  });

  test('of processes is at least the highest that was seen, or that the kernel told at the end', () => {
    const totals = treeRun(
      { rss: 5, peak: 6, pids: 1 },
      { rss: 2 << 20, peak: 3 << 20, pids: 1 },
      { rss: 0, peak: 0, pids: null },
    );
    const line = () => /^ {2}memory +(.*)$/m.exec(renderSummary(summary(totals)))?.[1];
    expect(line()).toBe('peak at least 3.0 MiB, highest rss 2.0 MiB (of 3 samples)');
    totals.addPeakOfProcess(4n << 20n);
    expect(line()).toBe('peak at least 4.0 MiB, highest rss 2.0 MiB (of 3 samples)');
    expect(JSON.parse(summaryToJson(summary(totals)))).toMatchObject({
      mem_peak_bytes: 4 << 20,
      quality: { memory: ['lowerBound'] },
    });
  });

  test('that nobody looked at is told by the kernel all the same', () => {
    const totals = treeRun({ rss: 5, peak: 6, pids: 1 }, { rss: 0, peak: 0, pids: null });
    totals.addPeakOfProcess(300n << 20n);
    expect(totals).toMatchObject({ memPeakBytes: 300n << 20n });
    expect(totals.parts.memory.source).toBe('proc');
  });

  test('of a cgroup is what the cgroup says', () => {
    const totals = fullRun();
    totals.addPeakOfProcess(300n << 20n);
    expect(totals.memPeakBytes).toBe(64n << 20n);
    expect(JSON.parse(summaryToJson(summary(totals))).quality.memory).toEqual([]);
  });

  test('that a last frame carries counts, whatever was missed before it', () => {
    const totals = treeRun({ rss: 0, peak: 0, pids: 0 }, { rss: 7, peak: 9, pids: null });
    expect(totals).toMatchObject({ memRssMaxBytes: 7n, memPeakBytes: 9n });
  });
});

describe('what the keeper of a cgroup tells after its end', () => {
  const missed = () => treeRun({ rss: 5, peak: 6, pids: 1 }, { rss: 7, peak: 8, pids: 1 });
  const told = {
    cpuNs: 9n,
    io: { readBytes: 4096n, writeBytes: 8192n },
    memoryPeakBytes: 300n << 20n,
  };
  const json = (totals: Measurement) => JSON.parse(summaryToJson(summary(totals)));

  test('makes cpu and memory whole, and io no less than it was', () => {
    const totals = missed();
    totals.settle(told);
    totals.judgeWritten(8192n);
    expect(json(totals)).toMatchObject({
      cpu_ns: 9,
      io_read_bytes: 4096,
      io_write_bytes: 8192,
      mem_peak_bytes: 300 << 20,
      sources: { cpu: 'cgroup', memory: 'cgroup', io: 'cgroup' },
      quality: { cpu: ['final'], memory: ['final'], io: ['lowerBound'] },
    });
    const text = renderSummary(summary(totals));
    expect(text).not.toMatch(/^ {2}(cpu|memory) .*at least/m);
    expect(text).toContain('written at least 8.0 KiB\n');
  });

  test('and is nothing where it does not tell', () => {
    const totals = missed();
    totals.settle({ cpuNs: null, io: null, memoryPeakBytes: null });
    expect(json(totals)).toEqual(json(missed()));
  });

  test('a cgroup that counted less than was dirtied has io that is a lower bound', () => {
    for (const dirtied of [8193n, null]) {
      const totals = missed();
      totals.settle(told);
      totals.judgeWritten(dirtied);
      expect(json(totals).quality.io).toEqual(['lowerBound']);
      expect(renderSummary(summary(totals))).toContain('written at least 8.0 KiB\n');
    }
  });

  test('io of processes is not judged by it', () => {
    const totals = missed();
    totals.judgeWritten(8193n);
    expect(json(totals).quality.io).toEqual([]);
  });
});

describe('the summary for programs', () => {
  test('has the fields of its schema, in order, and null for what is absent', () => {
    expect(Object.entries(JSON.parse(summaryToJson(summary(new Measurement()))))).toEqual([
      ['schema', 'episcope.summary.v1'],
      ['episode_id', 'job'],
      ['command', ['make', '-j8']],
      ['exit_code', 0],
      ['signal', null],
      ['wall_ns', 2_000_000_000],
      ['cpu_ns', null],
      ['cpu_user_ns', null],
      ['cpu_system_ns', null],
      ['mem_rss_max_bytes', null],
      ['mem_current_max_bytes', null],
      ['mem_peak_bytes', null],
      ['io_read_bytes', null],
      ['io_write_bytes', null],
      ['cpu_throttled_ns', null],
      ['oom_kills', null],
      ['frames', 0],
      ['missed', 0],
      ['deadlines_missed', 0],
      ['engine', 'native'],
      ['sources', { cpu: 'unavailable', memory: 'unavailable', io: 'unavailable' }],
      ['quality', { cpu: [], memory: [], io: [] }],
      ['degraded_reason', null],
      ['exhausted', null],
      ['collect_ns', 0],
    ]);
  });

  test('keeps every digit of an integer', () => {
    const totals = new Measurement();
    totals.cpuNs = 9_223_372_036_854_775_807n;
    expect(summaryToJson(summary(totals))).toContain('"cpu_ns":9223372036854775807,');
  });

  test('is one line', () => {
    const text = summaryToJson(summary(fullRun(), { command: ['a\nb'] }));
    expect(text.indexOf('\n')).toBe(text.length - 1);
  });
});
