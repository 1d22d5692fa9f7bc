/** Arithmetic that stays within the bound of the contract (INV-TL02), on values that are within it already. */

/** 2^63 − 1: the most that a time, a size or a count can be. */
export const MAX_U63 = (1n << 63n) - 1n;

export function saturatingAdd(a: bigint, b: bigint): bigint {
  const sum = a + b;
  return sum > MAX_U63 ? MAX_U63 : sum;
}

export function saturatingMul(a: bigint, b: bigint): bigint {
  const product = a * b;
  return product > MAX_U63 ? MAX_U63 : product;
}

/** a − b, at least 0. */
export function saturatingSub(a: bigint, b: bigint): bigint {
  return a > b ? a - b : 0n;
}
