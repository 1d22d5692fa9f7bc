import { TelemetryError } from '../error/index.js';
import { MAX_FRAME_COUNT } from '../schema/bounds.js';
import { clampValue } from './bounds.js';

/** cpu figures of one moment, in ns. */
export interface CpuFigures {
  readonly usage: bigint | null;
  readonly user: bigint | null;
  readonly system: bigint | null;
}

/** Enforces INV-CPU001: raises a usage that is below user + system to the sum. An absent usage stays absent. */
export function clampUsage({ usage, user, system }: CpuFigures): bigint | null {
  if (usage === null) return null;
  const parts = clampValue((user ?? 0n) + (system ?? 0n));
  return usage < parts ? parts : usage;
}

/** Enforces INV-MEM001: raises a peak that is below the rss to the rss. An absent peak stays absent. */
export function clampPeak(peak: bigint | null, rss: bigint | null): bigint | null {
  return peak !== null && rss !== null && peak < rss ? rss : peak;
}

/** Throws `ERR_INVARIANT` if usage is below user + system by more than `slack` ns. */
export function assertUsage(figures: CpuFigures, slack = 0n): void {
  if ((clampUsage(figures) ?? 0n) - (figures.usage ?? 0n) <= slack) return;
  throw new TelemetryError(
    'ERR_INVARIANT',
    `INV-CPU001: cpu usage ${figures.usage} ns is below user ${figures.user ?? 0n} + system ${figures.system ?? 0n} ns`,
  );
}

/** Throws `ERR_INVARIANT` if peak < rss. */
export function assertPeak(peak: bigint | null, rss: bigint | null): void {
  if (clampPeak(peak, rss) === peak) return;
  throw new TelemetryError(
    'ERR_INVARIANT',
    `INV-MEM001: peak ${peak} bytes is below rss ${rss} bytes`,
  );
}

/** Throws `ERR_INVARIANT` if the value is above 2^63 − 1. */
export function assertBounded(name: string, value: bigint | null): void {
  if (value === null || value <= MAX_FRAME_COUNT) return;
  throw new TelemetryError('ERR_INVARIANT', `INV-TL02: ${name} ${value} is above 2^63 − 1`);
}
