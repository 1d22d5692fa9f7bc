import { FrameWord } from '../ring/layout.js';
import type { MetricSources } from './metric-source.js';
import type { O11yFlags } from './o11y-flags.js';
import type { FrameQualities } from './quality.js';

/** Pressure totals (PSI) in ns: for how long some, or all, of the tasks stood still. Absent is null. */
export interface FramePressure<N extends number | bigint = number> {
  readonly cpuSomeNs: N | null;
  readonly memorySomeNs: N | null;
  readonly memoryFullNs: N | null;
  readonly ioSomeNs: N | null;
  readonly ioFullNs: N | null;
}

/** The metrics of a frame that stand directly in it. */
export interface FrameMetrics<N extends number | bigint = number> {
  /** cpu time of the episode, ns (`cpu.stat` `usage_usec`). */
  readonly cpuNs: N | null;
  readonly cpuUserNs: N | null;
  readonly cpuSystemNs: N | null;
  /** Anonymous memory (`anon` of `memory.stat`), or Σ(resident − shared) from `/proc`. */
  readonly memRssBytes: N | null;
  /** `memory.peak`, or the highest value seen where the kernel has no such file. */
  readonly memPeakBytes: N | null;
  /** Storage reads and writes, summed over devices (`io.stat`). */
  readonly ioReadBytes: N | null;
  readonly ioWriteBytes: N | null;
  /** `memory.current`: page cache included. */
  readonly memCurrentBytes: N | null;
  readonly pageFaultsMajor: N | null;
  readonly pageFaultsMinor: N | null;
  readonly ioReadOps: N | null;
  readonly ioWriteOps: N | null;
  readonly cpuThrottledNs: N | null;
  readonly cpuNrThrottled: N | null;
  /** `oom_kill` of `memory.events`. */
  readonly oomKills: N | null;
  /** Tasks (`pids.current`). */
  readonly pids: N | null;
  /** What taking this frame cost. */
  readonly collectNs: N | null;
}

/** Every field of a frame. */
export interface FrameFields<N extends number | bigint = number> extends FrameMetrics<N> {
  readonly episodeId: string;
  /** 0, 1, 2, … in its session. */
  readonly seq: N;
  /** CLOCK_MONOTONIC at the read, ns. */
  readonly tsMono: N;
  readonly pressure: FramePressure<N>;
  readonly sources: MetricSources;
  readonly quality: FrameQualities;
  readonly o11yFlags: O11yFlags;
}

export type FramePart = keyof MetricSources;
export type MetricName = keyof FrameMetrics;
export type PressureName = keyof FramePressure;

/** Which word a field is, its key in JSON, and the part whose source speaks for it. */
export interface FieldShape<Name extends string> {
  readonly name: Name;
  readonly key: string;
  readonly word: number;
  readonly part: FramePart | null;
}

function field<Name extends string>(
  name: Name,
  key: string,
  word: number,
  part: FramePart | null,
): FieldShape<Name> {
  return { name, key, word, part };
}

const W = FrameWord;

/** The metrics of the twelve-field wire form, in its order. */
export const WIRE_METRICS: readonly FieldShape<MetricName>[] = [
  field('cpuNs', 'cpu_ns', W.CPU_NS, 'cpu'),
  field('cpuUserNs', 'cpu_user_ns', W.CPU_USER_NS, 'cpu'),
  field('cpuSystemNs', 'cpu_system_ns', W.CPU_SYSTEM_NS, 'cpu'),
  field('memRssBytes', 'mem_rss_bytes', W.MEM_RSS_BYTES, 'memory'),
  field('memPeakBytes', 'mem_peak_bytes', W.MEM_PEAK_BYTES, 'memory'),
  field('ioReadBytes', 'io_read_bytes', W.IO_READ_BYTES, 'io'),
  field('ioWriteBytes', 'io_write_bytes', W.IO_WRITE_BYTES, 'io'),
];

/** The metrics that only NDJSON has, in its order; pressure and `collect_ns` follow them. */
export const FURTHER_METRICS: readonly FieldShape<MetricName>[] = [
  field('memCurrentBytes', 'mem_current_bytes', W.MEM_CURRENT_BYTES, 'memory'),
  field('pageFaultsMajor', 'page_faults_major', W.PAGE_FAULTS_MAJOR, 'memory'),
  field('pageFaultsMinor', 'page_faults_minor', W.PAGE_FAULTS_MINOR, 'memory'),
  field('ioReadOps', 'io_read_ops', W.IO_READ_OPS, 'io'),
  field('ioWriteOps', 'io_write_ops', W.IO_WRITE_OPS, 'io'),
  field('cpuThrottledNs', 'cpu_throttled_ns', W.CPU_THROTTLED_NS, 'cpu'),
  field('cpuNrThrottled', 'cpu_nr_throttled', W.CPU_NR_THROTTLED, 'cpu'),
  field('oomKills', 'oom_kills', W.OOM_KILLS, null),
  field('pids', 'pids', W.PIDS, null),
];

export const PRESSURE_FIELDS: readonly FieldShape<PressureName>[] = [
  field('cpuSomeNs', 'cpu_some_ns', W.PRESSURE_CPU_SOME_NS, null),
  field('memorySomeNs', 'memory_some_ns', W.PRESSURE_MEMORY_SOME_NS, null),
  field('memoryFullNs', 'memory_full_ns', W.PRESSURE_MEMORY_FULL_NS, null),
  field('ioSomeNs', 'io_some_ns', W.PRESSURE_IO_SOME_NS, null),
  field('ioFullNs', 'io_full_ns', W.PRESSURE_IO_FULL_NS, null),
];

export const COLLECT_FIELD: FieldShape<MetricName> = field(
  'collectNs',
  'collect_ns',
  W.COLLECT_NS,
  null,
);

/** Every metric that stands directly in a frame. */
export const METRICS: readonly FieldShape<MetricName>[] = [
  ...WIRE_METRICS,
  ...FURTHER_METRICS,
  COLLECT_FIELD,
];

export const FRAME_PARTS: readonly FramePart[] = ['cpu', 'memory', 'io'];

/** Validity bits of the words that a part's source speaks for. */
export function partMask(part: FramePart): number {
  let mask = 0;
  for (const each of METRICS) {
    if (each.part === part) mask |= 1 << each.word;
  }
  return mask;
}
