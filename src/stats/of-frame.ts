import type { TelemetryFrame } from '../frame/index.js';
import { CPU_FIELDS, IO_FIELDS, MEMORY_FIELDS } from '../schema/stats-values.js';
import { CpuStats } from './cpu-stats.js';
import { IoStats } from './io-stats.js';
import { MemoryStats } from './memory-stats.js';
import { ResourceStats } from './resource-stats.js';
import { valuesBy } from './words.js';

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
