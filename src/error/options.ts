/** Checks of options that plain JavaScript may get wrong. Each lets `undefined` pass where an option may be left out. */
import { CgroupError } from './kernel-error.js';
import { TelemetryError } from './telemetry-error.js';

export function invalidConfig(message: string): TelemetryError {
  return new TelemetryError('ERR_INVALID_CONFIG', message);
}

export function assertObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw invalidConfig(`${name} must be an object`);
}

export function assertBoolean(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw invalidConfig(`${name} must be true or false, not ${show(value)}`);
}

export function assertOneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw invalidConfig(`${name} must be one of ${allowed.join(', ')}, not ${show(value)}`);
}

export function assertSignal(value: unknown): void {
  if (value === undefined || value instanceof AbortSignal) return;
  throw invalidConfig('signal must be an AbortSignal');
}

/** What a path leads to is checked at the open; that it is one, here. Throws `ERR_CGROUP_PATH`. */
export function assertPath(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'string') return;
  throw new CgroupError('ERR_CGROUP_PATH', `${name} must be a path, not ${show(value)}`);
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : typeof value;
}
