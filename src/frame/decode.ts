import { TelemetryError } from '../error/index.js';
import { FrameWord, MetaShift } from '../ring/layout.js';
import { MAX_FRAME_COUNT } from './bounds.js';
import { unsafeValues } from './exact.js';
import { type FrameFields, partMask } from './fields.js';
import { TelemetryFrame } from './frame.js';
import type { MetricSource, MetricSources } from './metric-source.js';
import { flagsFromBits } from './o11y-flags.js';
import { qualityFromBits } from './quality.js';

/** By `SourceCode`. */
const SOURCES: readonly MetricSource[] = ['unavailable', 'cgroup', 'proc'];
const CPU_MASK = partMask('cpu');
const MEMORY_MASK = partMask('memory');
const IO_MASK = partMask('io');
/** High halves from here on hold values beyond 2^53. */
const UNSAFE_HIGH = 2 ** 21;

type ReadWord<N> = (halves: Uint32Array, word: number) => N;

/**
 * The frame of one slot, given as the 64 u32 halves of its words (low first). Numbers are built from the
 * halves: that spares a bigint per word, and rounds once, so to the nearest double.
 *
 * Values beyond 2^63 − 1 are clamped; a source code that does not exist is `ERR_RING_CORRUPT`.
 */
export function frameFromWords(
  episodeId: string,
  halves: Uint32Array,
  bigint: boolean,
): TelemetryFrame<number | bigint> {
  if (bigint) return new TelemetryFrame(decode(episodeId, halves, wordAsBigint));
  const exact = hasUnsafe(halves) ? unsafeValues(decode(episodeId, halves, wordAsBigint)) : null;
  return new TelemetryFrame(decode(episodeId, halves, wordAsNumber), exact);
}

function wordAsNumber(halves: Uint32Array, word: number): number {
  const high = halves[2 * word + 1] as number;
  return high > 0x7fffffff ? 2 ** 63 : high * 2 ** 32 + (halves[2 * word] as number);
}

function wordAsBigint(halves: Uint32Array, word: number): bigint {
  const value =
    (BigInt(halves[2 * word + 1] as number) << 32n) | BigInt(halves[2 * word] as number);
  return value > MAX_FRAME_COUNT ? MAX_FRAME_COUNT : value;
}

/** The sources in the word `META`; `ERR_RING_CORRUPT` where a code does not exist. */
export function sourcesFromMeta(meta: number): MetricSources {
  return {
    cpu: sourceFromMeta(meta, MetaShift.SOURCE_CPU),
    memory: sourceFromMeta(meta, MetaShift.SOURCE_MEMORY),
    io: sourceFromMeta(meta, MetaShift.SOURCE_IO),
  };
}

function sourceFromMeta(meta: number, shift: number): MetricSource {
  const source = SOURCES[(meta >>> shift) & 3];
  if (source) return source;
  throw new TelemetryError('ERR_RING_CORRUPT', 'a frame has a source code that does not exist');
}

function hasUnsafe(halves: Uint32Array): boolean {
  for (let word: number = FrameWord.SEQ; word <= FrameWord.COLLECT_NS; word++) {
    if ((halves[2 * word + 1] as number) >= UNSAFE_HIGH) return true;
  }
  return false;
}

function decode<N extends number | bigint>(
  episodeId: string,
  halves: Uint32Array,
  read: ReadWord<N>,
): FrameFields<N> {
  const meta = halves[2 * FrameWord.META] as number;
  const sources = sourcesFromMeta(meta);
  let valid = halves[2 * FrameWord.VALID] as number;
  if (sources.cpu === 'unavailable') valid &= ~CPU_MASK;
  if (sources.memory === 'unavailable') valid &= ~MEMORY_MASK;
  if (sources.io === 'unavailable') valid &= ~IO_MASK;
  const value = (word: number): N | null => (valid & (1 << word) ? read(halves, word) : null);
  return {
    episodeId,
    seq: read(halves, FrameWord.SEQ),
    tsMono: read(halves, FrameWord.TS_MONO),
    cpuNs: value(FrameWord.CPU_NS),
    cpuUserNs: value(FrameWord.CPU_USER_NS),
    cpuSystemNs: value(FrameWord.CPU_SYSTEM_NS),
    memRssBytes: value(FrameWord.MEM_RSS_BYTES),
    memPeakBytes: value(FrameWord.MEM_PEAK_BYTES),
    ioReadBytes: value(FrameWord.IO_READ_BYTES),
    ioWriteBytes: value(FrameWord.IO_WRITE_BYTES),
    memCurrentBytes: value(FrameWord.MEM_CURRENT_BYTES),
    pageFaultsMajor: value(FrameWord.PAGE_FAULTS_MAJOR),
    pageFaultsMinor: value(FrameWord.PAGE_FAULTS_MINOR),
    ioReadOps: value(FrameWord.IO_READ_OPS),
    ioWriteOps: value(FrameWord.IO_WRITE_OPS),
    cpuThrottledNs: value(FrameWord.CPU_THROTTLED_NS),
    cpuNrThrottled: value(FrameWord.CPU_NR_THROTTLED),
    oomKills: value(FrameWord.OOM_KILLS),
    pids: value(FrameWord.PIDS),
    pressure: {
      cpuSomeNs: value(FrameWord.PRESSURE_CPU_SOME_NS),
      memorySomeNs: value(FrameWord.PRESSURE_MEMORY_SOME_NS),
      memoryFullNs: value(FrameWord.PRESSURE_MEMORY_FULL_NS),
      ioSomeNs: value(FrameWord.PRESSURE_IO_SOME_NS),
      ioFullNs: value(FrameWord.PRESSURE_IO_FULL_NS),
    },
    collectNs: value(FrameWord.COLLECT_NS),
    sources,
    quality: {
      cpu: qualityFromBits(meta >>> MetaShift.QUALITY_CPU),
      memory: qualityFromBits(meta >>> MetaShift.QUALITY_MEMORY),
      io: qualityFromBits(meta >>> MetaShift.QUALITY_IO),
    },
    o11yFlags: flagsFromBits(meta),
  };
}
