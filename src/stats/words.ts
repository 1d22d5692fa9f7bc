import type { TelemetryError } from '../error/index.js';
import type { MetricSource } from '../frame/metric-source.js';
import { FrameWord, MetaShift, RING_SLOT_WORDS, SourceCode } from '../ring/layout.js';
import { CpuStats } from './cpu-stats.js';
import { IoStats } from './io-stats.js';
import { MemoryStats } from './memory-stats.js';
import type { ResourceStats } from './resource-stats.js';

/** How one part of slot words is to be handed out. The type argument N of the functions below is that of `bigint`. */
export interface PartOfWords {
  readonly source: MetricSource;
  readonly error?: TelemetryError | null;
  readonly bigint?: boolean;
}

type Value = number | bigint | null;

const CODES: Readonly<Record<MetricSource, number>> = {
  unavailable: SourceCode.UNAVAILABLE,
  cgroup: SourceCode.CGROUP,
  proc: SourceCode.PROC,
};

/** The cpu part of slot words, as a reader filled them. */
export function cpuStatsOf<N extends number | bigint = number>(
  words: BigUint64Array,
  { source, error = null, bigint = false }: PartOfWords,
): CpuStats<N> {
  const value = valuesOf<N>(words, bigint);
  return new CpuStats<N>({
    source,
    error,
    usageNs: value(FrameWord.CPU_NS),
    userNs: value(FrameWord.CPU_USER_NS),
    systemNs: value(FrameWord.CPU_SYSTEM_NS),
    throttledNs: value(FrameWord.CPU_THROTTLED_NS),
    nrThrottled: value(FrameWord.CPU_NR_THROTTLED),
  });
}

/** The memory part of slot words, as a reader filled them. */
export function memoryStatsOf<N extends number | bigint = number>(
  words: BigUint64Array,
  { source, error = null, bigint = false }: PartOfWords,
): MemoryStats<N> {
  const value = valuesOf<N>(words, bigint);
  return new MemoryStats<N>({
    source,
    error,
    rssBytes: value(FrameWord.MEM_RSS_BYTES),
    currentBytes: value(FrameWord.MEM_CURRENT_BYTES),
    peakBytes: value(FrameWord.MEM_PEAK_BYTES),
    pageFaultsMajor: value(FrameWord.PAGE_FAULTS_MAJOR),
    pageFaultsMinor: value(FrameWord.PAGE_FAULTS_MINOR),
  });
}

/** The io part of slot words, as a reader filled them. */
export function ioStatsOf<N extends number | bigint = number>(
  words: BigUint64Array,
  { source, error = null, bigint = false }: PartOfWords,
): IoStats<N> {
  const value = valuesOf<N>(words, bigint);
  return new IoStats<N>({
    source,
    error,
    readBytes: value(FrameWord.IO_READ_BYTES),
    writeBytes: value(FrameWord.IO_WRITE_BYTES),
    readOps: value(FrameWord.IO_READ_OPS),
    writeOps: value(FrameWord.IO_WRITE_OPS),
  });
}

/** The words of a frame of these stats; sources are in `META`, everything that stats do not have is absent. */
export function wordsOfStats(stats: ResourceStats<number | bigint>): BigUint64Array {
  const words = new BigUint64Array(RING_SLOT_WORDS);
  let valid = 0n;
  const set = (word: number, value: Value) => {
    if (value === null) return;
    words[word] = BigInt(value);
    valid |= 1n << BigInt(word);
  };
  const { cpu, memory, io } = stats;
  set(FrameWord.CPU_NS, cpu.usageNs);
  set(FrameWord.CPU_USER_NS, cpu.userNs);
  set(FrameWord.CPU_SYSTEM_NS, cpu.systemNs);
  set(FrameWord.CPU_THROTTLED_NS, cpu.throttledNs);
  set(FrameWord.CPU_NR_THROTTLED, cpu.nrThrottled);
  set(FrameWord.MEM_RSS_BYTES, memory.rssBytes);
  set(FrameWord.MEM_CURRENT_BYTES, memory.currentBytes);
  set(FrameWord.MEM_PEAK_BYTES, memory.peakBytes);
  set(FrameWord.PAGE_FAULTS_MAJOR, memory.pageFaultsMajor);
  set(FrameWord.PAGE_FAULTS_MINOR, memory.pageFaultsMinor);
  set(FrameWord.IO_READ_BYTES, io.readBytes);
  set(FrameWord.IO_WRITE_BYTES, io.writeBytes);
  set(FrameWord.IO_READ_OPS, io.readOps);
  set(FrameWord.IO_WRITE_OPS, io.writeOps);
  words[FrameWord.VALID] = valid;
  words[FrameWord.META] = BigInt(
    (CODES[cpu.source] << MetaShift.SOURCE_CPU) |
      (CODES[memory.source] << MetaShift.SOURCE_MEMORY) |
      (CODES[io.source] << MetaShift.SOURCE_IO),
  );
  return words;
}

function valuesOf<N extends number | bigint>(
  words: BigUint64Array,
  bigint: boolean,
): (word: number) => N | null {
  const valid = words[FrameWord.VALID] ?? 0n;
  return (word) => {
    if (((valid >> BigInt(word)) & 1n) === 0n) return null;
    const value = words[word] ?? 0n;
    return (bigint ? value : Number(value)) as N;
  };
}
