/** The ring: one writer and any number of readers over shared memory; `schema/layout.ts` defines the layout. */
export { createRing, type RingSpec } from './create.js';
export type { FrameBatches, FramesOptions } from './frame-batches.js';
export type { FrameBatch } from './frame-cursor.js';
export { FrameReader, type FrameReaderOptions, type SharedFrames } from './reader.js';
export { RingWriter } from './writer.js';
