import { outOfRange } from '../error/index.js';
import { FRAME_WORDS, FrameWord, RingHeader, RingState, RingWriterKind } from '../schema/layout.js';
import { bindRing, FIRST_SLOT, FRAME_HALVES, HEAD, STATE } from './header.js';

/** The writer stores `STAMP` and `SEQ` itself; the caller's halves start after them. */
const FIRST_DATA_HALF = 2 * (FrameWord.SEQ + 1);

/**
 * The only writer of a ring. It never waits: it overwrites the oldest frame.
 *
 * Every word is stored by `Atomics.store` as u32 halves: a weak memory model allows plain stores to pass the stamps,
 * and accesses that differ in width from the reader's do not synchronize with them.
 */
export class RingWriter {
  /** Signed, because `Atomics.store` returns the stored value and allocates a heap number for a u32 of 2^31 or more. */
  readonly #ring: Int32Array;
  readonly #mask: number;
  readonly #slotHalves: number;
  #head: number;
  #seq: number;
  #words: BigUint64Array | null = null;
  #halves: Int32Array = new Int32Array(0);

  /** Throws `ERR_RING_CORRUPT` or `ERR_RING_VERSION` for anything but a ring of this layout. */
  constructor(ring: SharedArrayBuffer) {
    const { shape, words } = bindRing(ring);
    this.#ring = new Int32Array(words.buffer, words.byteOffset, words.length);
    this.#mask = shape.slots - 1;
    this.#slotHalves = shape.slotHalves;
    this.#head = Atomics.load(words, HEAD);
    this.#seq = (this.#head - shape.first) >>> 0;
    Atomics.store(words, RingHeader.WRITER / 4, RingWriterKind.JS);
  }

  /** The `seq` of the next frame, which is the number of published frames. */
  get seq(): number {
    return this.#seq;
  }

  /**
   * Publishes one frame, given as its words. `STAMP` and `SEQ` of the argument are ignored; the writer assigns them.
   */
  publish(words: BigUint64Array): void {
    const halves = this.#halvesOf(words);
    const ring = this.#ring;
    const index = this.#head;
    const slot = FIRST_SLOT + (index & this.#mask) * this.#slotHalves;
    Atomics.store(ring, slot, (2 * index + 1) | 0);
    Atomics.store(ring, slot + 2 * FrameWord.SEQ, this.#seq | 0);
    Atomics.store(ring, slot + 2 * FrameWord.SEQ + 1, Math.floor(this.#seq / 2 ** 32));
    for (let half = FIRST_DATA_HALF; half < FRAME_HALVES; half++) {
      Atomics.store(ring, slot + half, halves[half] as number);
    }
    Atomics.store(ring, slot, (2 * index + 2) | 0);
    this.#head = (index + 1) >>> 0;
    this.#seq++;
    Atomics.store(ring, HEAD, this.#head | 0);
  }

  /** Stores the number of sample periods so far that passed without a sample; u32. */
  setDeadlinesMissed(missed: number): void {
    Atomics.store(this.#ring, RingHeader.DEADLINES_MISSED / 4, missed);
  }

  /** Marks the ring as ended. No frame may follow. */
  end(): void {
    Atomics.store(this.#ring, STATE, RingState.ENDED);
  }

  // A sampler publishes the same array every time, so its view is created once.
  #halvesOf(words: BigUint64Array): Int32Array {
    if (words === this.#words) return this.#halves;
    if (words.length < FRAME_WORDS) {
      throw outOfRange('words.length', words.length, `must be at least ${FRAME_WORDS}`);
    }
    this.#words = words;
    this.#halves = new Int32Array(words.buffer, words.byteOffset, FRAME_HALVES);
    return this.#halves;
  }
}
