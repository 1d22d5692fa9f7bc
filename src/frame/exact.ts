import {
  type FrameMetrics,
  type FramePressure,
  METRICS,
  PRESSURE_METRICS,
} from '../schema/metrics.js';
import type { FrameFields } from './fields.js';

/** Exact values, by name, of the fields that a frame of numbers had to round (beyond 2^53). NDJSON writes these. */
export type ExactValues = ReadonlyMap<string, bigint>;

/** Converts the fields to the requested mode; `exact` holds the values that numbers had to round, or null. */
export function inMode(
  fields: FrameFields<bigint>,
  bigint: boolean,
): { fields: FrameFields<number | bigint>; exact: ExactValues | null } {
  if (bigint) return { fields, exact: null };
  const metrics = {} as Record<keyof FrameMetrics, number | null>;
  for (const { name } of METRICS) metrics[name] = toNumber(fields[name]);
  const pressure = {} as Record<keyof FramePressure, number | null>;
  for (const { name } of PRESSURE_METRICS) pressure[name] = toNumber(fields.pressure[name]);
  const asNumbers = {
    ...fields,
    ...metrics,
    seq: Number(fields.seq),
    tsMono: Number(fields.tsMono),
    pressure,
  };
  return { fields: asNumbers, exact: unsafeValues(fields) };
}

/** Returns the fields beyond 2^53 by name, or null if there are none. */
export function unsafeValues(fields: FrameFields<bigint>): ExactValues | null {
  const exact = new Map<string, bigint>();
  const keep = (name: string, value: bigint | null) => {
    if (value !== null && value > Number.MAX_SAFE_INTEGER) exact.set(name, value);
  };
  keep('seq', fields.seq);
  keep('tsMono', fields.tsMono);
  for (const { name } of METRICS) keep(name, fields[name]);
  for (const { name } of PRESSURE_METRICS) keep(name, fields.pressure[name]);
  return exact.size > 0 ? exact : null;
}

function toNumber(value: bigint | null): number | null {
  return value === null ? null : Number(value);
}
