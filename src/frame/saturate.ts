/** Arithmetic that saturates at the bound of INV-TL02. The operands must be within the bound. */

/** 2^63 − 1, the maximum of a time, a size or a count. */
export const MAX_U63 = (1n << 63n) - 1n;

export function saturatingAdd(a: bigint, b: bigint): bigint {
  const sum = a + b;
  return sum > MAX_U63 ? MAX_U63 : sum;
}

export function saturatingMul(a: bigint, b: bigint): bigint {
  const product = a * b;
  return product > MAX_U63 ? MAX_U63 : product;
}

/** Returns a − b, or 0 if b is larger. */
export function saturatingSub(a: bigint, b: bigint): bigint {
  return a > b ? a - b : 0n;
}
