import { TelemetryError } from '../error/index.js';
import { MAX_FRAME_COUNT } from '../schema/bounds.js';

/** The double nearest to the bound 2^63 − 1; it is one above it. */
const MAX_AS_NUMBER = 2 ** 63;

export function clampValue(value: bigint): bigint {
  return value > MAX_FRAME_COUNT ? MAX_FRAME_COUNT : value;
}

/** Adds two values that are in range; the sum saturates at 2^63 − 1. */
export function saturatingAdd<N extends number | bigint>(a: N, b: N): N;
export function saturatingAdd(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'bigint' && typeof b === 'bigint') return clampValue(a + b);
  return Math.min(Number(a) + Number(b), MAX_AS_NUMBER);
}

/**
 * Converts a whole number ≥ 0 to its exact form, without clamping. The double 2^63 is what `Number(MAX_FRAME_NS)`
 * returns, so it is taken as the bound itself, not as one above it.
 */
export function exactValue(value: number | bigint): bigint {
  return value === MAX_AS_NUMBER ? MAX_FRAME_COUNT : BigInt(value);
}

/** Formats a value in range as decimal digits, never with an exponent. */
export function digits(value: number | bigint): string {
  return typeof value === 'number' && value > Number.MAX_SAFE_INTEGER
    ? exactValue(value).toString()
    : value.toString();
}

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
