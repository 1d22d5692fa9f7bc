/** The collector: starts sessions, and the handle of each. */
export {
  type StartOptions,
  TelemetryCollector,
  type TelemetryCollectorOptions,
} from './collector.js';
export type { StatsDelta } from './delta.js';
export type {
  ExhaustedEvent,
  ExitEvent,
  HandleEvents,
  SourceEvent,
  StoppedEvent,
  StopReason,
} from './events.js';
export { TelemetryHandle, type TelemetryHandleSnapshot } from './handle.js';
