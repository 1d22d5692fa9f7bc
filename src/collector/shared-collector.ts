import { loadAddon } from '../addon/load.js';
import { assertObject, assertOneOf } from '../error/index.js';
import type { TelemetryPolicy } from '../policy/index.js';
import { TelemetryCollector, type TelemetryCollectorOptions } from './collector.js';

export type SharedCollectorOptions = Omit<TelemetryCollectorOptions, 'engine'>;

/**
 * Returns a collector over the process-wide native sampler, whose running ids are unique in the whole process:
 * `start()` of an id that runs in a shared collector of any worker throws `ERR_ALREADY_STARTED`.
 *
 * One thread samples, however many workers and collectors use it; every `TelemetryCollector` on the native engine
 * samples on that thread too.
 *
 * Throws what the constructor of `TelemetryCollector` throws; `ERR_ENGINE_UNAVAILABLE` if the addon does not load.
 */
export function newSharedCollector(
  policy?: TelemetryPolicy,
  options: SharedCollectorOptions = {},
): TelemetryCollector {
  assertObject('options', options);
  const { engine }: TelemetryCollectorOptions = options;
  assertOneOf('engine', engine, ['native']);
  const claims = loadAddon().addon?.claims;
  return new TelemetryCollector(policy, { ...options, engine: 'native' }, claims);
}
