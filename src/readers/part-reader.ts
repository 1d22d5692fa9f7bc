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

/** `{ bigint: true }` gives exact 64-bit values as bigint, as in `fs.stat`. */
interface BigintOption {
  readonly bigint?: boolean;
}

const BIGINT: OptionKeys<BigintOption> = { bigint: true };

/** Throws `ERR_INVALID_CONFIG`. Nothing is looked at where nothing was given. */
function isBigint(options: BigintOption | undefined): boolean {
  if (options === undefined) return false;
  assertOptions('options', options, BIGINT);
  assertBoolean('bigint', options.bigint);
  return options.bigint ?? false;
}

/** The slot words of one part, as it was read just now, and where it comes from. */
export type PartRead = readonly [words: BigUint64Array, part: PartOfWords];

/** What a reader of a cgroup and a reader of a process have in common: the parts as stats. */
export abstract class PartReader {
  protected abstract readPart(part: PartIndexValue): PartRead;

  /** cpu time, ns. */
  readCpu(options?: { readonly bigint?: false }): CpuStats;
  readCpu(options: { readonly bigint: true }): CpuStats<bigint>;
  readCpu(options?: BigintOption): CpuStats<number | bigint>;
  readCpu(options?: BigintOption): CpuStats<number | bigint> {
    const bigint = isBigint(options);
    const [words, part] = this.readPart(PartIndex.CPU);
    return cpuStatsOf(words, { ...part, bigint });
  }

  /** Memory in bytes, page faults as counts. */
  readMemory(options?: { readonly bigint?: false }): MemoryStats;
  readMemory(options: { readonly bigint: true }): MemoryStats<bigint>;
  readMemory(options?: BigintOption): MemoryStats<number | bigint>;
  readMemory(options?: BigintOption): MemoryStats<number | bigint> {
    const bigint = isBigint(options);
    const [words, part] = this.readPart(PartIndex.MEMORY);
    return memoryStatsOf(words, { ...part, bigint });
  }

  /** Storage io in bytes and, from a cgroup, in operations. */
  readIo(options?: { readonly bigint?: false }): IoStats;
  readIo(options: { readonly bigint: true }): IoStats<bigint>;
  readIo(options?: BigintOption): IoStats<number | bigint>;
  readIo(options?: BigintOption): IoStats<number | bigint> {
    const bigint = isBigint(options);
    const [words, part] = this.readPart(PartIndex.IO);
    return ioStatsOf(words, { ...part, bigint });
  }

  /** The three, one after the other. */
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
