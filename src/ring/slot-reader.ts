import { MAX_LATEST_TRIES, MAX_RING_RESUMES } from '../schema/bounds.js';
import { RingState } from '../schema/layout.js';
import {
  assertWritten,
  type BoundRing,
  bindRing,
  corrupt,
  FIRST_SLOT,
  FRAME_HALVES,
  HEAD,
  type RingShape,
  SAMPLE_PERIOD_MS,
  SLOT_HALVES,
  STATE,
} from './header.js';
import type { OpenSlots, SlotSource } from './slot-source.js';

/** Throws `ERR_RING_CORRUPT` or `ERR_RING_VERSION` for anything but a ring of this layout. */
export const openAtomicSlots: OpenSlots = (ring) => new SlotReader(ring);

/**
 * Reads the slots of a ring without the addon.
 *
 * Every word is loaded by `Atomics.load`: with plain loads between the two loads of the stamp, a weak memory model
 * allows a torn frame between two equal stamps. A frame is valid only if both loads returned the expected stamp.
 */
class SlotReader implements SlotSource {
  /** A writer can wake a reader only through the reader's addon. */
  readonly waker = null;
  readonly shape: RingShape;
  readonly #bound: BoundRing;
  readonly #ring: Uint32Array;
  /** A signed view of the same memory, because `Atomics.load` allocates a heap number for a u32 of 2^31 or more. */
  readonly #halves: Int32Array;
  readonly #mask: number;
  readonly #slotHalves: number;
  #cursor: number;
  #missed = 0;

  constructor(ring: unknown) {
    this.#bound = bindRing(ring);
    const { shape, words } = this.#bound;
    this.shape = shape;
    this.#ring = words;
    this.#halves = new Int32Array(words.buffer, words.byteOffset, words.length);
    this.#mask = shape.slots - 1;
    this.#slotHalves = shape.slotHalves;
    this.#cursor = shape.first;
  }

  get missed(): number {
    return this.#missed;
  }

  get ended(): boolean {
    return Atomics.load(this.#ring, STATE) === RingState.ENDED;
  }

  get head(): number {
    return Atomics.load(this.#ring, HEAD);
  }

  get samplePeriodMs(): number {
    return Atomics.load(this.#ring, SAMPLE_PERIOD_MS);
  }

  get available(): number {
    return Math.min((this.head - this.#cursor) >>> 0, this.shape.capacity);
  }

  copyNext(out: Uint32Array, max: number): number {
    const { capacity } = this.shape;
    let head = this.head;
    const behind = (head - this.#cursor) >>> 0;
    if (behind > capacity) this.#skipTo((head - capacity) >>> 0);
    let copied = 0;
    let resumes = 0;
    while (copied < max && this.#cursor !== head) {
      if (this.#copy(this.#cursor, out, copied * SLOT_HALVES)) {
        this.#cursor = (this.#cursor + 1) >>> 0;
        copied++;
        continue;
      }
      // The writer overtook us. It would do so again at the oldest frame, so continue in the middle of the ring.
      if (++resumes > MAX_RING_RESUMES) break;
      head = this.head;
      const middle = (head - Math.max(1, capacity >>> 1)) >>> 0;
      const ahead = (middle - this.#cursor) | 0;
      this.#skipTo(ahead > 0 ? middle : (this.#cursor + 1) >>> 0);
    }
    return copied;
  }

  copyLatest(out: Uint32Array): boolean {
    for (let tries = 0; tries < MAX_LATEST_TRIES; tries++) {
      const head = this.head;
      if (head === this.shape.first) return false;
      if (this.#copy((head - 1) >>> 0, out, 0)) return true;
      // The writer went around the whole ring during the copy, so there is a newer frame.
    }
    throw corrupt('the newest frame is never completed');
  }

  skipToLatest(): void {
    const head = this.head;
    if (head !== this.#cursor) this.#cursor = (head - 1) >>> 0;
  }

  #skipTo(cursor: number): void {
    this.#missed += (cursor - this.#cursor) >>> 0;
    this.#cursor = cursor;
  }

  /** Returns false if the slot was overwritten before or during the copy. */
  #copy(index: number, out: Uint32Array, at: number): boolean {
    const ring = this.#halves;
    const slot = FIRST_SLOT + (index & this.#mask) * this.#slotHalves;
    const expected = (2 * index + 2) | 0;
    if (Atomics.load(ring, slot) !== expected) {
      // The slot was overwritten, or the head is corrupt.
      assertWritten(this.#bound, index);
      return false;
    }
    for (let half = 1; half < FRAME_HALVES; half++)
      out[at + half] = Atomics.load(ring, slot + half);
    out[at] = expected;
    return Atomics.load(ring, slot) === expected;
  }
}
