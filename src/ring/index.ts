/** The ring: one writer, any number of readers, in shared memory that `layout.ts` describes. */
export { createRing, type RingSpec } from './create.js';
export type { FrameBatches, FramesOptions } from './frame-batches.js';
export type { FrameBatch } from './frame-cursor.js';
export { FrameReader, type FrameReaderOptions, type SharedFrames } from './reader.js';
export { RingWriter } from './writer.js';
