import { outOfRange, TelemetryError } from './telemetry-error.js';

/**
 * Returns `value` as a bigint if it is a whole number ≥ 0. Throws `ERR_OUT_OF_RANGE` for a negative number, a
 * fraction, NaN or an infinity, and `ERR_INVALID_CONFIG` for anything but a number or bigint.
 */
export function wholeNumber(name: string, value: number | bigint): bigint {
  if (typeof value === 'bigint') {
    if (value < 0n) throw outOfRange(name, value, 'must not be negative');
    return value;
  }
  finiteNumber(name, value);
  if (!Number.isInteger(value)) throw outOfRange(name, value, 'must be a whole number');
  return BigInt(value);
}

/** Returns `value` if it is a finite number ≥ 0; fractions are accepted. Throws the same errors. */
export function finiteNumber(name: string, value: number): number {
  if (typeof value !== 'number') {
    throw new TelemetryError('ERR_INVALID_CONFIG', `${name} must be a number, got ${typeof value}`);
  }
  if (!Number.isFinite(value)) throw outOfRange(name, value, 'must be finite');
  if (value < 0) throw outOfRange(name, value, 'must not be negative');
  return value;
}
