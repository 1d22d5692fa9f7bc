import type { TelemetryFrame } from '../frame/index.js';
import { CpuStats } from './cpu-stats.js';
import { IoStats } from './io-stats.js';
import { MemoryStats } from './memory-stats.js';
import { ResourceStats } from './resource-stats.js';

/** What a frame says, as stats of the same mode. */
export function statsOfFrame<N extends number | bigint>(
  frame: TelemetryFrame<N>,
): ResourceStats<N> {
  const { cpu, memory, io } = frame.sources;
  return new ResourceStats<N>({
    cpu: new CpuStats<N>({
      source: cpu,
      usageNs: frame.cpuNs,
      userNs: frame.cpuUserNs,
      systemNs: frame.cpuSystemNs,
      throttledNs: frame.cpuThrottledNs,
      nrThrottled: frame.cpuNrThrottled,
    }),
    memory: new MemoryStats<N>({
      source: memory,
      rssBytes: frame.memRssBytes,
      currentBytes: frame.memCurrentBytes,
      peakBytes: frame.memPeakBytes,
      pageFaultsMajor: frame.pageFaultsMajor,
      pageFaultsMinor: frame.pageFaultsMinor,
    }),
    io: new IoStats<N>({
      source: io,
      readBytes: frame.ioReadBytes,
      writeBytes: frame.ioWriteBytes,
      readOps: frame.ioReadOps,
      writeOps: frame.ioWriteOps,
    }),
  });
}
