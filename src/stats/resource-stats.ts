import { TelemetryError } from '../error/index.js';
import { brand, ownInstance } from '../realm/index.js';
import { CpuStats } from './cpu-stats.js';
import { IoStats } from './io-stats.js';
import { MemoryStats } from './memory-stats.js';

export interface ResourceStatsInit<N extends number | bigint = number> {
  readonly cpu: CpuStats<N>;
  readonly memory: MemoryStats<N>;
  readonly io: IoStats<N>;
}

/** cpu, memory and io of one reading. Immutable. */
export class ResourceStats<N extends number | bigint = number> {
  readonly cpu: CpuStats<N>;
  readonly memory: MemoryStats<N>;
  readonly io: IoStats<N>;

  static {
    brand(ResourceStats.prototype, 'ResourceStats');
  }

  /** Throws `ERR_INVALID_CONFIG` unless all three parts are stats; one that is unknown is `unavailable()`. */
  constructor(init: ResourceStatsInit<N>) {
    const cpu = ownInstance(CpuStats<N>, init?.cpu, (foreign) => new CpuStats<N>(foreign));
    const memory = ownInstance(
      MemoryStats<N>,
      init?.memory,
      (foreign) => new MemoryStats<N>(foreign),
    );
    const io = ownInstance(IoStats<N>, init?.io, (foreign) => new IoStats<N>(foreign));
    if (cpu === null || memory === null || io === null) {
      throw new TelemetryError(
        'ERR_INVALID_CONFIG',
        'resource stats are made of { cpu: CpuStats, memory: MemoryStats, io: IoStats }',
      );
    }
    this.cpu = cpu;
    this.memory = memory;
    this.io = io;
    Object.freeze(this);
  }

  /** The constructor: the parts bring their invariants along. */
  static tryNew<N extends number | bigint = number>(init: ResourceStatsInit<N>): ResourceStats<N> {
    return new ResourceStats(init);
  }

  /** No figures at all, and why. */
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

  /** Whether every part that is available comes from the cgroup, and at least one does. */
  get allFromCgroup(): boolean {
    const available = this.#parts().filter((part) => part.isAvailable);
    return available.length > 0 && available.every((part) => part.source === 'cgroup');
  }

  #parts() {
    return [this.cpu, this.memory, this.io];
  }
}

/** Stats of whatever evaluation of the package; null for anything else. */
export function ownStats(value: unknown): ResourceStats<number | bigint> | null {
  return ownInstance(
    ResourceStats<number | bigint>,
    value,
    (foreign) => new ResourceStats(foreign),
  );
}
