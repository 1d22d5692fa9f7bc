import type { TelemetryError } from '../error/index.js';
import type { TelemetryFrame } from '../frame/index.js';
import type { MetricSource } from '../frame/metric-source.js';
import { FRAME_WORDS, FrameWord, MetaShift, SourceCode } from '../schema/layout.js';
import { CPU_FIELDS, IO_FIELDS, MEMORY_FIELDS } from '../schema/stats-values.js';
import { CpuStats } from './cpu-stats.js';
import { IoStats } from './io-stats.js';
import { MemoryStats } from './memory-stats.js';
import { ResourceStats } from './resource-stats.js';

/** How to expose one part of slot words. The type argument N of the functions below must agree with `bigint`. */
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

/** Returns the cpu part of frame words that a reader filled. */
export function cpuStatsOf<N extends number | bigint = number>(
  words: BigUint64Array,
  { bigint = false, ...origin }: PartOfWords,
): CpuStats<N> {
  return new CpuStats<N>({ ...origin, ...valuesBy(CPU_FIELDS, reader<N>(words, bigint)) });
}

/** Returns the memory part of frame words that a reader filled. */
export function memoryStatsOf<N extends number | bigint = number>(
  words: BigUint64Array,
  { bigint = false, ...origin }: PartOfWords,
): MemoryStats<N> {
  return new MemoryStats<N>({ ...origin, ...valuesBy(MEMORY_FIELDS, reader<N>(words, bigint)) });
}

/** Returns the io part of frame words that a reader filled. */
export function ioStatsOf<N extends number | bigint = number>(
  words: BigUint64Array,
  { bigint = false, ...origin }: PartOfWords,
): IoStats<N> {
  return new IoStats<N>({ ...origin, ...valuesBy(IO_FIELDS, reader<N>(words, bigint)) });
}

/** Builds an object with one property per field. */
export function valuesBy<F extends { readonly stat: string }, V>(
  fields: readonly F[],
  value: (field: F) => V,
): { readonly [S in F['stat']]: V } {
  return Object.fromEntries(fields.map((field) => [field.stat, value(field)])) as {
    readonly [S in F['stat']]: V;
  };
}

/** Encodes stats as frame words. `META` holds the sources; metrics that stats lack are absent. */
export function wordsOfStats(stats: ResourceStats<number | bigint>): BigUint64Array {
  const words = new BigUint64Array(FRAME_WORDS);
  let valid = 0n;
  const set = (word: number, value: Value) => {
    if (value === null) return;
    words[word] = BigInt(value);
    valid |= 1n << BigInt(word);
  };
  const { cpu, memory, io } = stats;
  for (const { stat, word } of CPU_FIELDS) set(word, cpu[stat]);
  for (const { stat, word } of MEMORY_FIELDS) set(word, memory[stat]);
  for (const { stat, word } of IO_FIELDS) set(word, io[stat]);
  words[FrameWord.VALID] = valid;
  words[FrameWord.META] = BigInt(
    (CODES[cpu.source] << MetaShift.SOURCE_CPU) |
      (CODES[memory.source] << MetaShift.SOURCE_MEMORY) |
      (CODES[io.source] << MetaShift.SOURCE_IO),
  );
  return words;
}

function reader<N extends number | bigint>(
  words: BigUint64Array,
  bigint: boolean,
): (field: { readonly word: number }) => N | null {
  const valid = words[FrameWord.VALID] ?? 0n;
  return ({ word }) => {
    if (((valid >> BigInt(word)) & 1n) === 0n) return null;
    const value = words[word] ?? 0n;
    return (bigint ? value : Number(value)) as N;
  };
}

/** Converts a frame to stats of the same mode. */
export function statsOfFrame<N extends number | bigint>(
  frame: TelemetryFrame<N>,
): ResourceStats<N> {
  const { cpu, memory, io } = frame.sources;
  return new ResourceStats<N>({
    cpu: new CpuStats<N>({
      source: cpu,
      ...valuesBy(CPU_FIELDS, ({ metric }): N | null => frame[metric]),
    }),
    memory: new MemoryStats<N>({
      source: memory,
      ...valuesBy(MEMORY_FIELDS, ({ metric }): N | null => frame[metric]),
    }),
    io: new IoStats<N>({
      source: io,
      ...valuesBy(IO_FIELDS, ({ metric }): N | null => frame[metric]),
    }),
  });
}
