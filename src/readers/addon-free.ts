/**
 * `episcope/reader`: frames in a worker that has no addon, bundled or not. Reads every word by `Atomics.load`, looks for
 * new frames by a timer, and imports nothing but this package's own frame and errors.
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
