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
 * The slots of a ring without any addon.
 *
 * Every word is loaded by `Atomics.load`: with plain loads between the two looks at the stamp, weak memory may
 * deliver a torn frame under two equal stamps. A frame counts only if both looks saw the stamp it must have.
 */
class SlotReader implements SlotSource {
  /** A writer that could wake a reader needs the reader's addon for it. */
  readonly waker = null;
  readonly shape: RingShape;
  readonly #bound: BoundRing;
  readonly #ring: Uint32Array;
  /** The same memory: `Atomics.load` of a u32 above 2^31 is a number on the heap. */
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
      // Overtaken. At the oldest frame it would happen again at once, so go on from the middle.
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
      // The writer went round the whole ring meanwhile: there is a newer one.
    }
    throw corrupt('its newest frame is never done');
  }

  skipToLatest(): void {
    const head = this.head;
    if (head !== this.#cursor) this.#cursor = (head - 1) >>> 0;
  }

  #skipTo(cursor: number): void {
    this.#missed += (cursor - this.#cursor) >>> 0;
    this.#cursor = cursor;
  }

  /** False: the slot was overwritten before or while it was copied. */
  #copy(index: number, out: Uint32Array, at: number): boolean {
    const ring = this.#halves;
    const slot = FIRST_SLOT + (index & this.#mask) * this.#slotHalves;
    const expected = (2 * index + 2) | 0;
    if (Atomics.load(ring, slot) !== expected) {
      // Overwritten, or the head is corrupt.
      assertWritten(this.#bound, index);
      return false;
    }
    for (let half = 1; half < FRAME_HALVES; half++)
      out[at + half] = Atomics.load(ring, slot + half);
    out[at] = expected;
    return Atomics.load(ring, slot) === expected;
  }
}
