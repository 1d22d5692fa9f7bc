import { invalidConfig, type TelemetryError } from '../error/index.js';
import { brand, ownInstance } from '../realm/index.js';
import { CpuStats } from './cpu-stats.js';
import { IoStats } from './io-stats.js';
import { MemoryStats } from './memory-stats.js';

export interface ResourceStatsInit<N extends number | bigint = number> {
  readonly cpu: CpuStats<N>;
  readonly memory: MemoryStats<N>;
  readonly io: IoStats<N>;
}

/** The cpu, memory and io stats of one reading. Immutable. */
export class ResourceStats<N extends number | bigint = number> {
  readonly cpu: CpuStats<N>;
  readonly memory: MemoryStats<N>;
  readonly io: IoStats<N>;

  static {
    brand(ResourceStats.prototype, 'ResourceStats');
  }

  /** Throws `ERR_INVALID_CONFIG` unless all three parts are stats. Use `unavailable()` for an unknown part. */
  constructor(init: ResourceStatsInit<N>) {
    const cpu = ownInstance(CpuStats<N>, init?.cpu, (foreign) => new CpuStats<N>(foreign));
    const memory = ownInstance(
      MemoryStats<N>,
      init?.memory,
      (foreign) => new MemoryStats<N>(foreign),
    );
    const io = ownInstance(IoStats<N>, init?.io, (foreign) => new IoStats<N>(foreign));
    if (cpu === null || memory === null || io === null) {
      throw invalidConfig(
        'resource stats require { cpu: CpuStats, memory: MemoryStats, io: IoStats }',
      );
    }
    this.cpu = cpu;
    this.memory = memory;
    this.io = io;
    Object.freeze(this);
  }

  /** Same as the constructor: the parts have checked their invariants already. */
  static tryNew<N extends number | bigint = number>(init: ResourceStatsInit<N>): ResourceStats<N> {
    return new ResourceStats(init);
  }

  /** Creates stats without any figures; `error` gives the reason. */
  static unavailable<N extends number | bigint = number>(
    error: TelemetryError | null = null,
  ): ResourceStats<N> {
    return new ResourceStats<N>({
      cpu: CpuStats.unavailable<N>(error),
      memory: MemoryStats.unavailable<N>(error),
      io: IoStats.unavailable<N>(error),
    });
  }

  get allAvailable(): boolean {
    return this.#parts().every((part) => part.isAvailable);
  }

  /** Whether any part comes from `/proc`. */
  get hasDegradedSource(): boolean {
    return this.#parts().some((part) => part.source === 'proc');
  }

  /** Whether at least one part is available and every available part comes from the cgroup. */
  get allFromCgroup(): boolean {
    const available = this.#parts().filter((part) => part.isAvailable);
    return available.length > 0 && available.every((part) => part.source === 'cgroup');
  }

  #parts() {
    return [this.cpu, this.memory, this.io];
  }
}

/** Returns stats of any evaluation of the package as this evaluation's `ResourceStats`; null for other values. */
export function ownStats(value: unknown): ResourceStats<number | bigint> | null {
  return ownInstance(
    ResourceStats<number | bigint>,
    value,
    (foreign) => new ResourceStats(foreign),
  );
}
