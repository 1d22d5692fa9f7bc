import { assertBoolean, assertOptions, type OptionKeys } from '../error/index.js';
import { PartIndex, type PartIndexValue } from '../schema/enumerations.js';
import {
  type CpuStats,
  cpuStatsOf,
  type IoStats,
  ioStatsOf,
  type MemoryStats,
  memoryStatsOf,
  type PartOfWords,
  ResourceStats,
} from '../stats/index.js';

/** With `{ bigint: true }`, values are exact bigints, as in `fs.stat`. */
export interface BigintOption {
  readonly bigint?: boolean;
}

const BIGINT: OptionKeys<BigintOption> = { bigint: true };

/** Throws `ERR_INVALID_CONFIG`. Skips the checks if there are no options. */
function isBigint(options: BigintOption | undefined): boolean {
  if (options === undefined) return false;
  assertOptions('options', options, BIGINT);
  assertBoolean('bigint', options.bigint);
  return options.bigint ?? false;
}

/** The slot words of a part that was just read, and its source. */
export type PartRead = readonly [words: BigUint64Array, part: PartOfWords];

/** Base of the cgroup reader and the process reader: returns the parts as stats. */
export abstract class PartReader {
  protected abstract readPart(part: PartIndexValue): PartRead;

  /** Reads cpu time, in ns. */
  readCpu(options?: { readonly bigint?: false }): CpuStats;
  readCpu(options: { readonly bigint: true }): CpuStats<bigint>;
  readCpu(options?: BigintOption): CpuStats<number | bigint>;
  readCpu(options?: BigintOption): CpuStats<number | bigint> {
    const bigint = isBigint(options);
    const [words, part] = this.readPart(PartIndex.CPU);
    return cpuStatsOf(words, { ...part, bigint });
  }

  /** Reads memory in bytes, and counts of page faults. */
  readMemory(options?: { readonly bigint?: false }): MemoryStats;
  readMemory(options: { readonly bigint: true }): MemoryStats<bigint>;
  readMemory(options?: BigintOption): MemoryStats<number | bigint>;
  readMemory(options?: BigintOption): MemoryStats<number | bigint> {
    const bigint = isBigint(options);
    const [words, part] = this.readPart(PartIndex.MEMORY);
    return memoryStatsOf(words, { ...part, bigint });
  }

  /** Reads storage io in bytes and, from a cgroup, also in operations. */
  readIo(options?: { readonly bigint?: false }): IoStats;
  readIo(options: { readonly bigint: true }): IoStats<bigint>;
  readIo(options?: BigintOption): IoStats<number | bigint>;
  readIo(options?: BigintOption): IoStats<number | bigint> {
    const bigint = isBigint(options);
    const [words, part] = this.readPart(PartIndex.IO);
    return ioStatsOf(words, { ...part, bigint });
  }

  /** Reads cpu, memory and io, one after the other. */
  readAll(options?: { readonly bigint?: false }): ResourceStats;
  readAll(options: { readonly bigint: true }): ResourceStats<bigint>;
  readAll(options?: BigintOption): ResourceStats<number | bigint>;
  readAll(options?: BigintOption): ResourceStats<number | bigint> {
    const bigint = isBigint(options);
    const [cpuWords, cpu] = this.readPart(PartIndex.CPU);
    const cpuStats = cpuStatsOf(cpuWords, { ...cpu, bigint });
    const [memoryWords, memory] = this.readPart(PartIndex.MEMORY);
    const memoryStats = memoryStatsOf(memoryWords, { ...memory, bigint });
    const [ioWords, io] = this.readPart(PartIndex.IO);
    return new ResourceStats<number | bigint>({
      cpu: cpuStats,
      memory: memoryStats,
      io: ioStatsOf(ioWords, { ...io, bigint }),
    });
  }
}
