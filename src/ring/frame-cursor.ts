import { frameFromWords } from '../frame/decode.js';
import type { TelemetryFrame } from '../frame/frame.js';
import { SLOT_HALVES } from './header.js';
import type { SlotSource } from './slot-source.js';

/** Maximum number of frames copied out of the ring in one call. */
const BATCH = 64;

/** The frames that one read returned. */
export interface FrameBatch<N extends number | bigint = number> {
  /** Oldest first. */
  readonly frames: TelemetryFrame<N>[];
  /** Number of frames overwritten unread since the previous batch. Losing frames is not an error. */
  readonly missed: number;
}

/** Reads and decodes slots. The caller must make sure that `bigint` and `N` agree. */
export class FrameCursor<N extends number | bigint> {
  readonly slots: SlotSource;
  readonly #bigint: boolean;
  #copy: Uint32Array = new Uint32Array(SLOT_HALVES);

  constructor(slots: SlotSource, bigint: boolean) {
    this.slots = slots;
    this.#bigint = bigint;
  }

  /** Returns the newest frame, or null before the first. Does not move the cursor. Throws `ERR_RING_CORRUPT`. */
  latest(): TelemetryFrame<N> | null {
    return this.slots.copyLatest(this.#copy) ? this.#decode(0) : null;
  }

  /** Returns the next frames, at most `max`. Throws `ERR_RING_CORRUPT`. */
  read(max: number): FrameBatch<N> {
    const { slots } = this;
    const before = slots.missed;
    const frames: TelemetryFrame<N>[] = [];
    // Bounded by what is available now, so that a fast writer cannot keep one call busy forever.
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
