import {
  assertBoolean,
  assertOptions,
  finiteNumber,
  invalidConfig,
  type OptionKeys,
  outOfRange,
  wholeNumber,
} from '../error/index.js';
import type { TelemetryFrame } from '../frame/frame.js';
import {
  assertFramesOptions,
  CursorBatches,
  type FrameBatches,
  type FramesOptions,
} from './frame-batches.js';
import { type FrameBatch, FrameCursor } from './frame-cursor.js';
import { SLOT_HALVES } from './header.js';
import { openAtomicSlots } from './slot-reader.js';
import type { OpenSlots, SlotSource } from './slot-source.js';

/** A ring on its way to another thread: what `handle.share()` gives. Structured-cloneable. */
export interface SharedFrames {
  readonly ring: SharedArrayBuffer;
}

export interface FrameReaderOptions {
  /** Decode 64-bit values to bigint, exactly; default: to the nearest number. */
  readonly bigint?: boolean | undefined;
}

const FRAME_READER: OptionKeys<FrameReaderOptions> = { bigint: true };

/**
 * Reads the frames of one ring, in any thread, as often as one likes: readers do not disturb the writer nor each
 * other. A reader begins at the first frame and is told how many it missed: returned + missed = written. It holds
 * memory only, so there is nothing to close.
 */
export class RingFrameReader<N extends number | bigint> {
  readonly episodeId: string;
  /** The root process of the episode. */
  readonly pid: number;
  /** CLOCK_MONOTONIC, ns, at the start of the session. */
  readonly startMonoNs: N;
  /** Frames that the ring holds at most. */
  readonly capacity: number;
  readonly #open: () => FrameCursor<N>;
  readonly #cursor: FrameCursor<N>;
  readonly #slots: SlotSource;
  #halves: Uint32Array = new Uint32Array(0);
  /** What the halves are a view of. */
  #buffer: BigUint64Array | Uint32Array = this.#halves;

  constructor(
    openSlots: OpenSlots,
    shared: SharedFrames | SharedArrayBuffer,
    options: FrameReaderOptions,
  ) {
    assertOptions('options', options, FRAME_READER);
    assertBoolean('bigint', options.bigint);
    const ring = ringOf(shared);
    const bigint = options.bigint ?? false;
    this.#open = () => new FrameCursor(openSlots(ring), bigint);
    this.#cursor = this.#open();
    this.#slots = this.#cursor.slots;
    const { episodeId, pid, startMonoNs, capacity } = this.#slots.shape;
    this.episodeId = episodeId;
    this.pid = pid;
    // N is the mode, by the constructor's types.
    this.startMonoNs = (bigint ? startMonoNs : Number(startMonoNs)) as N;
    this.capacity = capacity;
  }

  /** Whether the session ended: what is in the ring is all there will be. */
  get ended(): boolean {
    return this.#slots.ended;
  }

  /** Frames that the next `read` could return. */
  get available(): number {
    return this.#slots.available;
  }

  /** Frames that this reader never returned and never will, so far. */
  get missed(): number {
    return this.#slots.missed;
  }

  /** The newest frame, or null before the first. Does not move the reader. Throws `ERR_RING_CORRUPT`. */
  latest(): TelemetryFrame<N> | null {
    return this.#cursor.latest();
  }

  /**
   * The next frames, oldest first, at most `max` (default: all that are there). A reader that was overtaken goes
   * on from the oldest frame held, or from the middle of the ring if the writer is at its heels.
   *
   * Throws `ERR_OUT_OF_RANGE` for a `max` that is no whole number ≥ 0, `ERR_INVALID_CONFIG` for another type,
   * `ERR_RING_CORRUPT`.
   */
  read(max: number = this.capacity): FrameBatch<N> {
    wholeNumber('max', finiteNumber('max', max));
    return this.#cursor.read(max);
  }

  /**
   * The frames as they come, in batches, apart from `read()`: an iteration has a place of its own in the ring. It ends
   * when the session has ended and all was delivered, by `signal`, or by `return()`, as `break` and `await using` do.
   * A consumer that is slow never holds up the writer: it is told what it missed.
   *
   * A `next()` that waits keeps this thread alive; nothing else does.
   *
   * ```ts
   * for await (const { frames, missed } of reader.frames({ signal })) …
   * ```
   *
   * Throws `ERR_INVALID_CONFIG` for options of another kind, `ERR_RING_CORRUPT`, which rejects a `next()` too.
   */
  frames(options: FramesOptions = {}): FrameBatches<N> {
    assertFramesOptions(options);
    return new CursorBatches(this.#open(), options);
  }

  /**
   * Copies the next frames as they are in the ring to `buffer`, one every 48 u64 words, and returns how many; `missed`
   * counts those it had to skip. Words that no metric uses are left as they are. Allocates nothing when called with
   * the same buffer again.
   *
   * Throws `ERR_OUT_OF_RANGE` for a buffer that does not hold one frame (384 bytes), `ERR_INVALID_CONFIG` for
   * anything but these two kinds of array, `ERR_RING_CORRUPT`.
   */
  readInto(buffer: BigUint64Array | Uint32Array): number {
    if (buffer !== this.#buffer || buffer.byteLength !== this.#halves.byteLength) {
      if (!isWordArray(buffer)) {
        throw invalidConfig('buffer must be a BigUint64Array or a Uint32Array');
      }
      this.#buffer = buffer;
      // No view can be made of a detached buffer.
      this.#halves =
        buffer.byteLength === 0
          ? new Uint32Array(0)
          : new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.byteLength / 4);
    }
    // Looked at each time: a buffer that was transferred or shrunk since holds less.
    if (this.#halves.length < SLOT_HALVES) {
      throw outOfRange(
        'buffer.byteLength',
        this.#halves.byteLength,
        `must be at least ${SLOT_HALVES * 4}`,
      );
    }
    return this.#slots.copyNext(this.#halves, Math.floor(this.#halves.length / SLOT_HALVES));
  }
}

/** `ERR_RING_CORRUPT` or `ERR_RING_VERSION` from the constructor for anything but a ring of this layout. */
export type FrameReader<N extends number | bigint = number> = RingFrameReader<N>;

export interface FrameReaderConstructor {
  new (
    shared: SharedFrames | SharedArrayBuffer,
    options?: { readonly bigint?: false | undefined },
  ): FrameReader<number>;
  new (
    shared: SharedFrames | SharedArrayBuffer,
    options: { readonly bigint: true },
  ): FrameReader<bigint>;
  new (
    shared: SharedFrames | SharedArrayBuffer,
    options?: FrameReaderOptions,
  ): FrameReader<number | bigint>;
  readonly prototype: FrameReader<number | bigint>;
}

/** The class over one kind of slots. */
export function frameReaderClass(openSlots: OpenSlots): FrameReaderConstructor {
  // A class cannot say that its type argument follows from an option; a constructor type can.
  return class FrameReader<N extends number | bigint> extends RingFrameReader<N> {
    constructor(shared: SharedFrames | SharedArrayBuffer, options: FrameReaderOptions = {}) {
      super(openSlots, shared, options);
    }
  };
}

/** Without any addon. `readers/frame-reader.ts` has the one that is native where it can be. */
export const FrameReader = frameReaderClass(openAtomicSlots);

function ringOf(shared: unknown): unknown {
  return typeof shared === 'object' && shared !== null && 'ring' in shared ? shared.ring : shared;
}

/** Answers by the kind of memory, of whatever realm. */
const arrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint32Array.prototype),
  Symbol.toStringTag,
)?.get;

function isWordArray(value: unknown): value is BigUint64Array | Uint32Array {
  const tag: unknown = arrayTag?.call(value);
  return tag === 'BigUint64Array' || tag === 'Uint32Array';
}
