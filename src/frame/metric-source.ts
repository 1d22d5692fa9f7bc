import { invalidConfig } from '../error/index.js';

/** Where a figure comes from: the episode's cgroup, `/proc` (degraded), or neither. */
export const MetricSource = {
  CGROUP: 'cgroup',
  PROC: 'proc',
  UNAVAILABLE: 'unavailable',
} as const;
export type MetricSource = (typeof MetricSource)[keyof typeof MetricSource];

/** The source of each part of a reading. */
export interface MetricSources {
  readonly cpu: MetricSource;
  readonly memory: MetricSource;
  readonly io: MetricSource;
}

/** Throws `ERR_INVALID_CONFIG` unless `value` is a `MetricSource`. */
export function assertMetricSource(name: string, value: unknown): asserts value is MetricSource {
  if (value === 'cgroup' || value === 'proc' || value === 'unavailable') return;
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 64)) : typeof value;
  throw invalidConfig(`${name} must be 'cgroup', 'proc' or 'unavailable', got ${shown}`);
}
