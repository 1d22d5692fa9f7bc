import { frameFromWords } from '../frame/decode.js';
import type { TelemetryFrame } from '../frame/frame.js';
import { SLOT_HALVES } from './header.js';
import type { SlotSource } from './slot-source.js';

/** Frames copied out of the ring in one go. */
const BATCH = 64;

/** What one look at the ring found. */
export interface FrameBatch<N extends number | bigint = number> {
  /** Oldest first. */
  readonly frames: TelemetryFrame<N>[];
  /** Frames that were overwritten before they could be had, since the batch before. Losing frames is no error. */
  readonly missed: number;
}

/** Slots, decoded. `bigint` is the mode, and `N` its type: who makes a cursor answers for the two. */
export class FrameCursor<N extends number | bigint> {
  readonly slots: SlotSource;
  readonly #bigint: boolean;
  #copy: Uint32Array = new Uint32Array(SLOT_HALVES);

  constructor(slots: SlotSource, bigint: boolean) {
    this.slots = slots;
    this.#bigint = bigint;
  }

  /** The newest frame, or null before the first. Moves nothing. Throws `ERR_RING_CORRUPT`. */
  latest(): TelemetryFrame<N> | null {
    return this.slots.copyLatest(this.#copy) ? this.#decode(0) : null;
  }

  /** The next frames, at most `max`. Throws `ERR_RING_CORRUPT`. */
  read(max: number): FrameBatch<N> {
    const { slots } = this;
    const before = slots.missed;
    const frames: TelemetryFrame<N>[] = [];
    // What is there now: a fast writer must not keep one call busy for ever.
    let wanted = Math.min(max, slots.available);
    while (wanted > 0) {
      const batch = Math.min(wanted, BATCH);
      if (this.#copy.length < batch * SLOT_HALVES) {
        this.#copy = new Uint32Array(BATCH * SLOT_HALVES);
      }
      const copied = slots.copyNext(this.#copy, batch);
      if (copied === 0) break;
      for (let i = 0; i < copied; i++) frames.push(this.#decode(i));
      wanted -= copied;
    }
    return { frames, missed: slots.missed - before };
  }

  #decode(frame: number): TelemetryFrame<N> {
    const at = frame * SLOT_HALVES;
    const halves = this.#copy.subarray(at, at + SLOT_HALVES);
    return frameFromWords(this.slots.shape.episodeId, halves, this.#bigint) as TelemetryFrame<N>;
  }
}
