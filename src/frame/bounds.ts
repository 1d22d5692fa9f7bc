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
