/**
 * `episcope/reader`: reads frames without the addon, for workers and bundles. Loads every word by `Atomics.load`, polls
 * for new frames with a timer, and imports only the package's own frames, rings and errors.
 */
export {
  type ErrorCode,
  OutOfRangeError,
  TelemetryError,
  type TelemetryErrorCode,
} from '../error/index.js';
export * from '../frame/index.js';
export type { FrameBatches, FramesOptions } from '../ring/frame-batches.js';
export type { FrameBatch } from '../ring/frame-cursor.js';
export { FrameReader, type FrameReaderOptions, type SharedFrames } from '../ring/reader.js';
