/** Returns the value below which the given share of the values lies. */
export function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export const median = (values) => percentile(values, 0.5);

/** Converts ns to µs with one decimal. */
export const us = (ns) => Math.round(ns / 100) / 10;

/** Returns the quotient with two decimals. */
export const ratio = (a, b) => Math.round((a / b) * 100) / 100;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
