// Generated from schema/ by `npm run schema`: do not edit.

/** The parts of a frame that have their own source. */
export const FRAME_PARTS = ['cpu', 'memory', 'io'] as const;
export type FramePart = (typeof FRAME_PARTS)[number];

/** Pressure totals (PSI) in ns; an absent one is null. */
export interface FramePressure<N extends number | bigint = number> {
  /** Time during which at least one task waited for a cpu. ns (`cpu.pressure` `some total`). */
  readonly cpuSomeNs: N | null;
  /** Time during which at least one task waited for memory. ns (`memory.pressure` `some total`). */
  readonly memorySomeNs: N | null;
  /** Time during which all tasks waited for memory at once. ns (`memory.pressure` `full total`). */
  readonly memoryFullNs: N | null;
  /** Time during which at least one task waited for storage. ns (`io.pressure` `some total`). */
  readonly ioSomeNs: N | null;
  /** Time during which all tasks waited for storage at once. ns (`io.pressure` `full total`). */
  readonly ioFullNs: N | null;
}

/** The metrics that are properties of a frame itself; an absent one is null. */
export interface FrameMetrics<N extends number | bigint = number> {
  /** Cpu time, user and system. Never below `cpuUserNs + cpuSystemNs`. ns (`cpu.stat` `usage_usec`). */
  readonly cpuNs: N | null;
  /** Cpu time in user mode. ns (`cpu.stat` `user_usec`). */
  readonly cpuUserNs: N | null;
  /** Cpu time in the kernel. ns (`cpu.stat` `system_usec`). */
  readonly cpuSystemNs: N | null;
  /** Anonymous memory. Bytes (`memory.stat` `anon`). */
  readonly memRssBytes: N | null;
  /**
   * Highest memory usage of the cgroup, page cache included; the highest value seen if the kernel has no such file.
   * Never below `memRssBytes`. Bytes (`memory.peak`).
   */
  readonly memPeakBytes: N | null;
  /**
   * Bytes read from storage. Each byte is counted once, however many block devices are stacked. Bytes (`io.stat`
   * `rbytes`).
   */
  readonly ioReadBytes: N | null;
  /** Bytes written to storage. A buffered write counts when it is written back. Bytes (`io.stat` `wbytes`). */
  readonly ioWriteBytes: N | null;
  /** All memory charged to the cgroup, page cache included. Bytes (`memory.current`). */
  readonly memCurrentBytes: N | null;
  /** Page faults that had to wait for storage. A count (`memory.stat` `pgmajfault`). */
  readonly pageFaultsMajor: N | null;
  /** Page faults that did not wait for storage: `pgfault` − `pgmajfault`. A count (`memory.stat` `pgfault`). */
  readonly pageFaultsMinor: N | null;
  /** Read operations on storage. A count (`io.stat` `rios`). */
  readonly ioReadOps: N | null;
  /** Write operations on storage. A count (`io.stat` `wios`). */
  readonly ioWriteOps: N | null;
  /**
   * Time during which `cpu.max` throttled the cgroup; absent without the cpu controller. ns (`cpu.stat`
   * `throttled_usec`).
   */
  readonly cpuThrottledNs: N | null;
  /**
   * Periods in which `cpu.max` throttled the cgroup; absent without the cpu controller. A count (`cpu.stat`
   * `nr_throttled`).
   */
  readonly cpuNrThrottled: N | null;
  /** Processes that the OOM killer killed. A count (`memory.events` `oom_kill`). */
  readonly oomKills: N | null;
  /** Number of tasks, that is processes and threads. A count (`pids.current`). */
  readonly pids: N | null;
  /** Time that taking this frame took. ns. */
  readonly collectNs: N | null;
}

export type MetricName = keyof FrameMetrics;
export type PressureName = keyof FramePressure;

/** The metrics of the twelve-field JSON form, by their keys. */
export interface WireMetrics {
  cpu_ns: number;
  cpu_user_ns: number;
  cpu_system_ns: number;
  mem_rss_bytes: number;
  mem_peak_bytes: number;
  io_read_bytes: number;
  io_write_bytes: number;
}

/** A metric: its property, its JSON key, its word in a slot, and the part that it belongs to. */
export interface MetricRow<Name extends string> {
  readonly name: Name;
  readonly key: string;
  readonly word: number;
  readonly part: FramePart | null;
  readonly unit: 'ns' | 'bytes' | 'count';
  readonly kind: 'counter' | 'gauge' | 'peak';
  /** Belongs to the twelve-field JSON form. */
  readonly wire: boolean;
}

export const METRICS: readonly MetricRow<MetricName>[] = [
  { name: 'cpuNs', key: 'cpu_ns', word: 5, part: 'cpu', unit: 'ns', kind: 'counter', wire: true },
  { name: 'cpuUserNs', key: 'cpu_user_ns', word: 6, part: 'cpu', unit: 'ns', kind: 'counter', wire: true },
  { name: 'cpuSystemNs', key: 'cpu_system_ns', word: 7, part: 'cpu', unit: 'ns', kind: 'counter', wire: true },
  { name: 'memRssBytes', key: 'mem_rss_bytes', word: 8, part: 'memory', unit: 'bytes', kind: 'gauge', wire: true },
  { name: 'memPeakBytes', key: 'mem_peak_bytes', word: 9, part: 'memory', unit: 'bytes', kind: 'peak', wire: true },
  { name: 'ioReadBytes', key: 'io_read_bytes', word: 10, part: 'io', unit: 'bytes', kind: 'counter', wire: true },
  { name: 'ioWriteBytes', key: 'io_write_bytes', word: 11, part: 'io', unit: 'bytes', kind: 'counter', wire: true },
  { name: 'memCurrentBytes', key: 'mem_current_bytes', word: 12, part: 'memory', unit: 'bytes', kind: 'gauge', wire: false },
  { name: 'pageFaultsMajor', key: 'page_faults_major', word: 13, part: 'memory', unit: 'count', kind: 'counter', wire: false },
  { name: 'pageFaultsMinor', key: 'page_faults_minor', word: 14, part: 'memory', unit: 'count', kind: 'counter', wire: false },
  { name: 'ioReadOps', key: 'io_read_ops', word: 15, part: 'io', unit: 'count', kind: 'counter', wire: false },
  { name: 'ioWriteOps', key: 'io_write_ops', word: 16, part: 'io', unit: 'count', kind: 'counter', wire: false },
  { name: 'cpuThrottledNs', key: 'cpu_throttled_ns', word: 17, part: 'cpu', unit: 'ns', kind: 'counter', wire: false },
  { name: 'cpuNrThrottled', key: 'cpu_nr_throttled', word: 18, part: 'cpu', unit: 'count', kind: 'counter', wire: false },
  { name: 'oomKills', key: 'oom_kills', word: 19, part: null, unit: 'count', kind: 'counter', wire: false },
  { name: 'pids', key: 'pids', word: 20, part: null, unit: 'count', kind: 'gauge', wire: false },
  { name: 'collectNs', key: 'collect_ns', word: 26, part: null, unit: 'ns', kind: 'gauge', wire: false },
];

export const PRESSURE_METRICS: readonly MetricRow<PressureName>[] = [
  { name: 'cpuSomeNs', key: 'cpu_some_ns', word: 21, part: null, unit: 'ns', kind: 'counter', wire: false },
  { name: 'memorySomeNs', key: 'memory_some_ns', word: 22, part: null, unit: 'ns', kind: 'counter', wire: false },
  { name: 'memoryFullNs', key: 'memory_full_ns', word: 23, part: null, unit: 'ns', kind: 'counter', wire: false },
  { name: 'ioSomeNs', key: 'io_some_ns', word: 24, part: null, unit: 'ns', kind: 'counter', wire: false },
  { name: 'ioFullNs', key: 'io_full_ns', word: 25, part: null, unit: 'ns', kind: 'counter', wire: false },
];

/** One value per part, indexed by `PartIndex`. */
export type PerPart<T> = readonly [cpu: T, memory: T, io: T, extra: T];

/** The words of each part. */
export const PART_WORDS: PerPart<readonly number[]> = [
  [5, 6, 7, 17, 18],
  [8, 9, 12, 13, 14],
  [10, 11, 15, 16],
  [19, 20, 21, 22, 23, 24, 25],
];

/** The words of each part that never decrease. */
export const PART_COUNTERS: PerPart<readonly number[]> = [
  [5, 6, 7, 17, 18],
  [13, 14],
  [10, 11, 15, 16],
  [19, 21, 22, 23, 24, 25],
];

/** The words of each part that /proc provides too. */
export const PROC_WORDS: PerPart<readonly number[]> = [
  [5, 6, 7],
  [8, 9, 13, 14],
  [10, 11],
  [20],
];

/** The bits of `FrameWord.VALID` that belong to each part, as low and high half. */
export const PART_VALID: { readonly [P in FramePart]: readonly [low: number, high: number] } = {
  cpu: [393440, 0],
  memory: [29440, 0],
  io: [101376, 0],
};
