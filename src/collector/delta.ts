import type { ResourceStats } from '../stats/index.js';

type Value = number | bigint;

/** What was consumed between two readings; a value is null if either reading lacks it. */
export interface StatsDelta {
  readonly cpuNs: number | null;
  readonly cpuUserNs: number | null;
  readonly cpuSystemNs: number | null;
  readonly ioReadBytes: number | null;
  readonly ioWriteBytes: number | null;
}

/** If `before` is null, everything in `after` was consumed. A counter that went backwards gives 0. */
export function statsDelta(
  before: ResourceStats<Value> | null,
  after: ResourceStats<Value>,
): StatsDelta {
  return {
    cpuNs: difference(before?.cpu.usageNs, after.cpu.usageNs),
    cpuUserNs: difference(before?.cpu.userNs, after.cpu.userNs),
    cpuSystemNs: difference(before?.cpu.systemNs, after.cpu.systemNs),
    ioReadBytes: difference(before?.io.readBytes, after.io.readBytes),
    ioWriteBytes: difference(before?.io.writeBytes, after.io.writeBytes),
  };
}

function difference(before: Value | null | undefined, after: Value | null): number | null {
  if (before === null || after === null) return null;
  // In bigints, exact if both values are: two large totals may differ by little.
  const grown = BigInt(after) - BigInt(before ?? 0);
  return grown > 0n ? Number(grown) : 0;
}
