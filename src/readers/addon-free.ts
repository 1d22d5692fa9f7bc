/**
 * `episcope/reader`: reads frames without the addon, for workers and bundles. Loads every word by `Atomics.load`, polls
 * for new frames with a timer, and imports only the package's own frames, rings and errors.
 */

export type * from '../error/codes.js';
export {
  OutOfRangeError,
  TelemetryError,
  type TelemetryErrorDetail,
} from '../error/index.js';
export * from '../frame/index.js';
export type { FrameBatches, FramesOptions } from '../ring/frame-batches.js';
export type { FrameBatch } from '../ring/frame-cursor.js';
export {
  FrameReader,
  type FrameReaderConstructor,
  type FrameReaderOptions,
  type SharedFrames,
} from '../ring/reader.js';
