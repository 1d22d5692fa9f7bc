/**
 * `episcope/recorder`: writes the frames that a session promotes to NDJSON recordings, which survive a kill, and reads
 * them back as frames.
 */

export type { BudgetAmounts } from '../budget/index.js';
export type { ExhaustedEvent, PromoteTrigger, StopReason } from '../collector/events.js';
export type * from '../collector/frame-sink.js';
export type { EngineName } from '../engine/engine.js';
export type * from '../error/codes.js';
export {
  RecordingError,
  TelemetryError,
  type TelemetryErrorDetail,
} from '../error/index.js';
export type * from '../frame/index.js';
export type { CgroupMode } from '../host/index.js';
export type * from '../policy/index.js';
export type { BudgetResource, ExhaustAction, Tier, TripMetric } from '../schema/enumerations.js';
export type { RecordingEnd, RecordingTotals } from './end.js';
export type { RecordingHeader, RecordingHost } from './header.js';
export { FrameRecorder, type FrameRecorderOptions } from './recorder.js';
export { type Recording, readRecording } from './recording.js';
