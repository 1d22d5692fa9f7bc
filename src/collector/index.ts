/** The collector, which starts sessions, and the handle of each session. */

export { TelemetryCollector, type TelemetryCollectorOptions } from './collector.js';
export type { StatsDelta } from './delta.js';
export type * from './events.js';
export type * from './frame-sink.js';
export { TelemetryHandle, type TelemetryHandleSnapshot } from './handle.js';
export type { HandleListener } from './kept-events.js';
export { newSharedCollector, type SharedCollectorOptions } from './shared-collector.js';
export type { StartOptions } from './start-options.js';
export type { Tripwire } from './tripwire.js';
