// Generated from schema/ by `npm run schema`: do not edit.

/** The properties of `CpuStats` and their metrics. */
export const CPU_FIELDS = [
  { stat: 'usageNs', metric: 'cpuNs', word: 5 },
  { stat: 'userNs', metric: 'cpuUserNs', word: 6 },
  { stat: 'systemNs', metric: 'cpuSystemNs', word: 7 },
  { stat: 'throttledNs', metric: 'cpuThrottledNs', word: 17 },
  { stat: 'nrThrottled', metric: 'cpuNrThrottled', word: 18 },
] as const;

/** Omitted values are absent. */
export interface CpuStatsValues<N extends number | bigint = number> {
  readonly usageNs?: N | null | undefined;
  readonly userNs?: N | null | undefined;
  readonly systemNs?: N | null | undefined;
  readonly throttledNs?: N | null | undefined;
  readonly nrThrottled?: N | null | undefined;
}

export abstract class CpuFigures<N extends number | bigint = number> {
  /** Cpu time, user and system. Never below `cpuUserNs + cpuSystemNs`. ns (`cpu.stat` `usage_usec`). */
  readonly usageNs: N | null;
  /** Cpu time in user mode. ns (`cpu.stat` `user_usec`). */
  readonly userNs: N | null;
  /** Cpu time in the kernel. ns (`cpu.stat` `system_usec`). */
  readonly systemNs: N | null;
  /**
   * Time during which `cpu.max` throttled the cgroup; absent without the cpu controller. ns (`cpu.stat`
   * `throttled_usec`).
   */
  readonly throttledNs: N | null;
  /**
   * Periods in which `cpu.max` throttled the cgroup; absent without the cpu controller. A count (`cpu.stat`
   * `nr_throttled`).
   */
  readonly nrThrottled: N | null;

  protected constructor(values: { readonly [K in keyof CpuStatsValues]-?: N | null }) {
    this.usageNs = values.usageNs;
    this.userNs = values.userNs;
    this.systemNs = values.systemNs;
    this.throttledNs = values.throttledNs;
    this.nrThrottled = values.nrThrottled;
  }
}

/** The properties of `MemoryStats` and their metrics. */
export const MEMORY_FIELDS = [
  { stat: 'rssBytes', metric: 'memRssBytes', word: 8 },
  { stat: 'peakBytes', metric: 'memPeakBytes', word: 9 },
  { stat: 'currentBytes', metric: 'memCurrentBytes', word: 12 },
  { stat: 'pageFaultsMajor', metric: 'pageFaultsMajor', word: 13 },
  { stat: 'pageFaultsMinor', metric: 'pageFaultsMinor', word: 14 },
] as const;

/** Omitted values are absent. */
export interface MemoryStatsValues<N extends number | bigint = number> {
  readonly rssBytes?: N | null | undefined;
  readonly peakBytes?: N | null | undefined;
  readonly currentBytes?: N | null | undefined;
  readonly pageFaultsMajor?: N | null | undefined;
  readonly pageFaultsMinor?: N | null | undefined;
}

export abstract class MemoryFigures<N extends number | bigint = number> {
  /** Anonymous memory. Bytes (`memory.stat` `anon`). */
  readonly rssBytes: N | null;
  /**
   * Highest memory usage of the cgroup, page cache included; the highest value seen if the kernel has no such file.
   * Never below `memRssBytes`. Bytes (`memory.peak`).
   */
  readonly peakBytes: N | null;
  /** All memory charged to the cgroup, page cache included. Bytes (`memory.current`). */
  readonly currentBytes: N | null;
  /** Page faults that had to wait for storage. A count (`memory.stat` `pgmajfault`). */
  readonly pageFaultsMajor: N | null;
  /** Page faults that did not wait for storage: `pgfault` − `pgmajfault`. A count (`memory.stat` `pgfault`). */
  readonly pageFaultsMinor: N | null;

  protected constructor(values: { readonly [K in keyof MemoryStatsValues]-?: N | null }) {
    this.rssBytes = values.rssBytes;
    this.peakBytes = values.peakBytes;
    this.currentBytes = values.currentBytes;
    this.pageFaultsMajor = values.pageFaultsMajor;
    this.pageFaultsMinor = values.pageFaultsMinor;
  }
}

/** The properties of `IoStats` and their metrics. */
export const IO_FIELDS = [
  { stat: 'readBytes', metric: 'ioReadBytes', word: 10 },
  { stat: 'writeBytes', metric: 'ioWriteBytes', word: 11 },
  { stat: 'readOps', metric: 'ioReadOps', word: 15 },
  { stat: 'writeOps', metric: 'ioWriteOps', word: 16 },
] as const;

/** Omitted values are absent. */
export interface IoStatsValues<N extends number | bigint = number> {
  readonly readBytes?: N | null | undefined;
  readonly writeBytes?: N | null | undefined;
  readonly readOps?: N | null | undefined;
  readonly writeOps?: N | null | undefined;
}

export abstract class IoFigures<N extends number | bigint = number> {
  /**
   * Bytes read from storage. Each byte is counted once, however many block devices are stacked. Bytes (`io.stat`
   * `rbytes`).
   */
  readonly readBytes: N | null;
  /** Bytes written to storage. A buffered write counts when it is written back. Bytes (`io.stat` `wbytes`). */
  readonly writeBytes: N | null;
  /** Read operations on storage. A count (`io.stat` `rios`). */
  readonly readOps: N | null;
  /** Write operations on storage. A count (`io.stat` `wios`). */
  readonly writeOps: N | null;

  protected constructor(values: { readonly [K in keyof IoStatsValues]-?: N | null }) {
    this.readBytes = values.readBytes;
    this.writeBytes = values.writeBytes;
    this.readOps = values.readOps;
    this.writeOps = values.writeOps;
  }
}
