/** Reads frames in any thread, by the addon if it loads, else as `episcope/reader` does. */

import { type FrameReader as AddonFreeReader, frameReaderClass } from '../ring/reader.js';
import { openAtomicSlots } from '../ring/slot-reader.js';
import { nativeSlots } from './native-slots.js';

export type { FrameBatches, FramesOptions } from '../ring/frame-batches.js';
export type { FrameBatch } from '../ring/frame-cursor.js';
export type { FrameReaderConstructor, FrameReaderOptions, SharedFrames } from '../ring/reader.js';

/** The constructor throws `ERR_RING_CORRUPT` or `ERR_RING_VERSION` for anything but a ring of this layout. */
export const FrameReader = frameReaderClass((ring) => (nativeSlots() ?? openAtomicSlots)(ring));
export type FrameReader<N extends number | bigint = number> = AddonFreeReader<N>;
