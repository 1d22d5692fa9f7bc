/** The ring: one writer, any number of readers, in shared memory that `layout.ts` describes. */
export { createRing, type RingSpec } from './create.js';
export { FrameFlag, FrameWord } from './layout.js';
export {
  type FrameBatch,
  FrameReader,
  type FrameReaderOptions,
  type SharedFrames,
} from './reader.js';
export { RingWriter } from './writer.js';
