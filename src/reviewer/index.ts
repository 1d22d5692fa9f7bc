/** `episcope/reviewer`: the log of review runs, appended by many processes at once, and its projection. */

export type * from '../error/codes.js';
export {
  ReviewerTelemetryError,
  TelemetryError,
  type TelemetryErrorDetail,
} from '../error/index.js';
export type { Exiting as RunProcess } from '../kernel/child-exit.js';
export type { ExactJson } from '../ndjson/exact-json.js';
export { ReviewerTelemetryHealth } from './health.js';
export { canonicalizeReviewerEventValue } from './lifecycle-event.js';
export { reviewerEventsLockPath, reviewerEventsRotatedPath } from './paths.js';
export * from './projection.js';
export * from './projection-summary.js';
export type { ReviewerRun } from './run-report.js';
export {
  REVIEWER_EVENT_KINDS,
  REVIEWER_TELEMETRY_SCHEMA,
  REVIEWER_TELEMETRY_SCHEMA_VERSION,
  type ReviewerEventObject,
  type ReviewerLifecycleEvent,
  type ReviewerLifecycleEventInit,
  type ReviewerLifecycleEventKind,
} from './schema.js';
export * from './writer.js';
