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

  #read(part: PartIndexValue, options: BigintOption | undefined): PartRead {
    const bigint = isBigint(options);
    const [words, origin] = this.readPart(part);
    return [words, { ...origin, bigint }];
  }

  /** Reads cpu time, in ns. */
  readCpu(options?: { readonly bigint?: false }): CpuStats;
  readCpu(options: { readonly bigint: true }): CpuStats<bigint>;
  readCpu(options?: BigintOption): CpuStats<number | bigint>;
  readCpu(options?: BigintOption): CpuStats<number | bigint> {
    return cpuStatsOf(...this.#read(PartIndex.CPU, options));
  }

  /** Reads memory in bytes, and counts of page faults. */
  readMemory(options?: { readonly bigint?: false }): MemoryStats;
  readMemory(options: { readonly bigint: true }): MemoryStats<bigint>;
  readMemory(options?: BigintOption): MemoryStats<number | bigint>;
  readMemory(options?: BigintOption): MemoryStats<number | bigint> {
    return memoryStatsOf(...this.#read(PartIndex.MEMORY, options));
  }

  /** Reads storage io in bytes and, from a cgroup, also in operations. */
  readIo(options?: { readonly bigint?: false }): IoStats;
  readIo(options: { readonly bigint: true }): IoStats<bigint>;
  readIo(options?: BigintOption): IoStats<number | bigint>;
  readIo(options?: BigintOption): IoStats<number | bigint> {
    return ioStatsOf(...this.#read(PartIndex.IO, options));
  }

  /** Reads cpu, memory and io, one after the other. */
  readAll(options?: { readonly bigint?: false }): ResourceStats;
  readAll(options: { readonly bigint: true }): ResourceStats<bigint>;
  readAll(options?: BigintOption): ResourceStats<number | bigint>;
  readAll(options?: BigintOption): ResourceStats<number | bigint> {
    return new ResourceStats<number | bigint>({
      cpu: this.readCpu(options),
      memory: this.readMemory(options),
      io: this.readIo(options),
    });
  }
}
