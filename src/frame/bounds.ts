import { MAX_FRAME_COUNT } from '../schema/bounds.js';

/** Nearest double of the bounds, which lies one above them. */
const MAX_AS_NUMBER = 2 ** 63;

export function clampValue(value: bigint): bigint {
  return value > MAX_FRAME_COUNT ? MAX_FRAME_COUNT : value;
}

/** Of two values in range: their sum, at most 2^63 − 1. */
export function saturatingAdd<N extends number | bigint>(a: N, b: N): N;
export function saturatingAdd(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'bigint' && typeof b === 'bigint') return clampValue(a + b);
  return Math.min(Number(a) + Number(b), MAX_AS_NUMBER);
}

/**
 * A whole number ≥ 0 in exact form, not yet clamped. The double 2^63 is what `Number(MAX_FRAME_NS)` gives,
 * so it stands for the bound and not for one above it.
 */
export function exactValue(value: number | bigint): bigint {
  return value === MAX_AS_NUMBER ? MAX_FRAME_COUNT : BigInt(value);
}

/** The decimal digits of a value in range; never an exponent. */
export function digits(value: number | bigint): string {
  return typeof value === 'number' && value > Number.MAX_SAFE_INTEGER
    ? exactValue(value).toString()
    : value.toString();
}
