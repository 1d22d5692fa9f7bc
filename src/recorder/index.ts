/**
 * `episcope/recorder`: recordings, which hold the frames that a session promotes as NDJSON and survive a kill; written,
 * and read back as frames.
 */
export {
  type ErrorCode,
  RecordingError,
  type RecordingErrorCode,
  TelemetryError,
  type TelemetryErrorCode,
} from '../error/index.js';
export type { RecordingEnd, RecordingTotals } from './end.js';
export type { RecordingHeader, RecordingHost } from './header.js';
export { FrameRecorder, type FrameRecorderOptions } from './recorder.js';
export { type Recording, readRecording } from './recording.js';
