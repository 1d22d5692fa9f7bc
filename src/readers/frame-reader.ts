/** Reading frames in any thread: natively where the addon loads, else like `episcope/reader`. */

import { type FrameReader as AddonFreeReader, frameReaderClass } from '../ring/reader.js';
import { openAtomicSlots } from '../ring/slot-reader.js';
import { nativeSlots } from './native-slots.js';

export type { FrameBatches, FramesOptions } from '../ring/frame-batches.js';
export type { FrameBatch } from '../ring/frame-cursor.js';
export type { FrameReaderOptions, SharedFrames } from '../ring/reader.js';

/** `ERR_RING_CORRUPT` or `ERR_RING_VERSION` from the constructor for anything but a ring of this layout. */
export const FrameReader = frameReaderClass((ring) => (nativeSlots() ?? openAtomicSlots)(ring));
export type FrameReader<N extends number | bigint = number> = AddonFreeReader<N>;
