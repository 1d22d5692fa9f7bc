/** The policy of a session: period, ring, triggers, high frequency; and its bounds. */

export { MAX_RING_BUFFER_CAPACITY, MIN_RING_BUFFER_CAPACITY } from '../schema/bounds.js';
export { TelemetryPolicyBuilder } from './builder.js';
export { TelemetryPolicy } from './policy.js';
export { PromoteTriggers, type PromoteTriggersInit } from './promote-triggers.js';
export type { PolicySettings } from './settings.js';
export {
  DEFAULT_RING_BUFFER_CAPACITY,
  DEFAULT_SAMPLE_PERIOD_MS,
  HIGH_FREQ_MULTIPLIER,
  MAX_SAMPLE_PERIOD_MS,
  MIN_SAMPLE_PERIOD_MS,
} from './settings.js';
