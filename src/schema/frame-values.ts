// Generated from schema/ by `npm run schema`: do not edit.
import type { FrameMetrics, FramePressure, MetricName } from './metrics.js';

/** The values of a frame. */
export interface FrameFigures<N extends number | bigint = number> extends FrameMetrics<N> {
  readonly pressure: FramePressure<N>;
}

/** Decodes the values of a slot, given as the u32 halves of its words (low first) and of its word `VALID`. */
export function figuresOfWords<N extends number | bigint>(
  halves: Uint32Array,
  low: number,
  _high: number,
  read: (halves: Uint32Array, word: number) => N,
): FrameFigures<N> {
  return {
    cpuNs: low & 32 ? read(halves, 5) : null,
    cpuUserNs: low & 64 ? read(halves, 6) : null,
    cpuSystemNs: low & 128 ? read(halves, 7) : null,
    memRssBytes: low & 256 ? read(halves, 8) : null,
    memPeakBytes: low & 512 ? read(halves, 9) : null,
    ioReadBytes: low & 1024 ? read(halves, 10) : null,
    ioWriteBytes: low & 2048 ? read(halves, 11) : null,
    memCurrentBytes: low & 4096 ? read(halves, 12) : null,
    pageFaultsMajor: low & 8192 ? read(halves, 13) : null,
    pageFaultsMinor: low & 16384 ? read(halves, 14) : null,
    ioReadOps: low & 32768 ? read(halves, 15) : null,
    ioWriteOps: low & 65536 ? read(halves, 16) : null,
    cpuThrottledNs: low & 131072 ? read(halves, 17) : null,
    cpuNrThrottled: low & 262144 ? read(halves, 18) : null,
    oomKills: low & 524288 ? read(halves, 19) : null,
    pids: low & 1048576 ? read(halves, 20) : null,
    collectNs: low & 67108864 ? read(halves, 26) : null,
    pressure: {
      cpuSomeNs: low & 2097152 ? read(halves, 21) : null,
      memorySomeNs: low & 4194304 ? read(halves, 22) : null,
      memoryFullNs: low & 8388608 ? read(halves, 23) : null,
      ioSomeNs: low & 16777216 ? read(halves, 24) : null,
      ioFullNs: low & 33554432 ? read(halves, 25) : null,
    },
  };
}

/** The properties of a frame, one per metric. */
export abstract class FrameValues<N extends number | bigint = number> implements FrameFigures<N> {
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
  /** Pressure totals (PSI), ns. */
  readonly pressure: FramePressure<N>;

  protected constructor(figures: FrameFigures<N>) {
    this.cpuNs = figures.cpuNs;
    this.cpuUserNs = figures.cpuUserNs;
    this.cpuSystemNs = figures.cpuSystemNs;
    this.memRssBytes = figures.memRssBytes;
    this.memPeakBytes = figures.memPeakBytes;
    this.ioReadBytes = figures.ioReadBytes;
    this.ioWriteBytes = figures.ioWriteBytes;
    this.memCurrentBytes = figures.memCurrentBytes;
    this.pageFaultsMajor = figures.pageFaultsMajor;
    this.pageFaultsMinor = figures.pageFaultsMinor;
    this.ioReadOps = figures.ioReadOps;
    this.ioWriteOps = figures.ioWriteOps;
    this.cpuThrottledNs = figures.cpuThrottledNs;
    this.cpuNrThrottled = figures.cpuNrThrottled;
    this.oomKills = figures.oomKills;
    this.pids = figures.pids;
    this.collectNs = figures.collectNs;
    this.pressure = Object.freeze(figures.pressure);
  }
}

/** The setters of a builder, one per metric; null makes the metric absent. */
export abstract class MetricSetters {
  protected abstract set(name: MetricName, value: number | bigint | null): this;

  /** Cpu time, user and system. Never below `cpuUserNs + cpuSystemNs`. ns (`cpu.stat` `usage_usec`). */
  cpuNs(ns: number | bigint | null): this {
    return this.set('cpuNs', ns);
  }

  /** Cpu time in user mode. ns (`cpu.stat` `user_usec`). */
  cpuUserNs(ns: number | bigint | null): this {
    return this.set('cpuUserNs', ns);
  }

  /** Cpu time in the kernel. ns (`cpu.stat` `system_usec`). */
  cpuSystemNs(ns: number | bigint | null): this {
    return this.set('cpuSystemNs', ns);
  }

  /** Anonymous memory. Bytes (`memory.stat` `anon`). */
  memRssBytes(bytes: number | bigint | null): this {
    return this.set('memRssBytes', bytes);
  }

  /**
   * Highest memory usage of the cgroup, page cache included; the highest value seen if the kernel has no such file.
   * Never below `memRssBytes`. Bytes (`memory.peak`).
   */
  memPeakBytes(bytes: number | bigint | null): this {
    return this.set('memPeakBytes', bytes);
  }

  /**
   * Bytes read from storage. Each byte is counted once, however many block devices are stacked. Bytes (`io.stat`
   * `rbytes`).
   */
  ioReadBytes(bytes: number | bigint | null): this {
    return this.set('ioReadBytes', bytes);
  }

  /** Bytes written to storage. A buffered write counts when it is written back. Bytes (`io.stat` `wbytes`). */
  ioWriteBytes(bytes: number | bigint | null): this {
    return this.set('ioWriteBytes', bytes);
  }

  /** All memory charged to the cgroup, page cache included. Bytes (`memory.current`). */
  memCurrentBytes(bytes: number | bigint | null): this {
    return this.set('memCurrentBytes', bytes);
  }

  /** Page faults that had to wait for storage. A count (`memory.stat` `pgmajfault`). */
  pageFaultsMajor(count: number | bigint | null): this {
    return this.set('pageFaultsMajor', count);
  }

  /** Page faults that did not wait for storage: `pgfault` − `pgmajfault`. A count (`memory.stat` `pgfault`). */
  pageFaultsMinor(count: number | bigint | null): this {
    return this.set('pageFaultsMinor', count);
  }

  /** Read operations on storage. A count (`io.stat` `rios`). */
  ioReadOps(count: number | bigint | null): this {
    return this.set('ioReadOps', count);
  }

  /** Write operations on storage. A count (`io.stat` `wios`). */
  ioWriteOps(count: number | bigint | null): this {
    return this.set('ioWriteOps', count);
  }

  /**
   * Time during which `cpu.max` throttled the cgroup; absent without the cpu controller. ns (`cpu.stat`
   * `throttled_usec`).
   */
  cpuThrottledNs(ns: number | bigint | null): this {
    return this.set('cpuThrottledNs', ns);
  }

  /**
   * Periods in which `cpu.max` throttled the cgroup; absent without the cpu controller. A count (`cpu.stat`
   * `nr_throttled`).
   */
  cpuNrThrottled(count: number | bigint | null): this {
    return this.set('cpuNrThrottled', count);
  }

  /** Processes that the OOM killer killed. A count (`memory.events` `oom_kill`). */
  oomKills(count: number | bigint | null): this {
    return this.set('oomKills', count);
  }

  /** Number of tasks, that is processes and threads. A count (`pids.current`). */
  pids(count: number | bigint | null): this {
    return this.set('pids', count);
  }

  /** Time that taking this frame took. ns. */
  collectNs(ns: number | bigint | null): this {
    return this.set('collectNs', ns);
  }
}
