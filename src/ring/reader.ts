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

/** A ring to pass to another thread, as returned by `handle.share()`. Can be cloned by `postMessage`. */
export interface SharedFrames {
  readonly ring: SharedArrayBuffer;
}

export interface FrameReaderOptions {
  /** Decode values to exact bigints. Default: false, the nearest number. */
  readonly bigint?: boolean | undefined;
}

const FRAME_READER: OptionKeys<FrameReaderOptions> = { bigint: true };

/**
 * Reads the frames of one ring, in any thread. Any number of readers can read one ring: they do not affect the writer
 * or each other. A reader starts at the first frame and counts the frames that it missed: returned + missed = written.
 * It holds memory only and need not be closed.
 */
export class RingFrameReader<N extends number | bigint> {
  readonly episodeId: string;
  /** Pid of the root process of the episode. */
  readonly pid: number;
  /** CLOCK_MONOTONIC at the start of the session, in ns. */
  readonly startMonoNs: N;
  /** Maximum number of frames in the ring. */
  readonly capacity: number;
  readonly #open: () => FrameCursor<N>;
  readonly #cursor: FrameCursor<N>;
  readonly #slots: SlotSource;
  #halves: Uint32Array = new Uint32Array(0);
  /** The array that `#halves` is a view of. */
  #buffer: BigUint64Array | Uint32Array = this.#halves;

  /** @internal */
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
    // The constructor's types make N agree with `bigint`.
    this.startMonoNs = (bigint ? startMonoNs : Number(startMonoNs)) as N;
    this.capacity = capacity;
  }

  /** Whether the session has ended, so that no more frames will be written. */
  get ended(): boolean {
    return this.#slots.ended;
  }

  /** Number of frames that the next `read` could return. */
  get available(): number {
    return this.#slots.available;
  }

  /** Number of frames so far that were overwritten before this reader returned them. */
  get missed(): number {
    return this.#slots.missed;
  }

  /** Returns the newest frame, or null before the first. Does not move the reader. Throws `ERR_RING_CORRUPT`. */
  latest(): TelemetryFrame<N> | null {
    return this.#cursor.latest();
  }

  /**
   * Returns the next frames, oldest first, at most `max` (default: all available). A reader that the writer has
   * overtaken continues at the oldest frame in the ring, or in the middle of the ring if the writer overtakes it again
   * during the call.
   *
   * Throws `ERR_OUT_OF_RANGE` if `max` is not a whole number ≥ 0, `ERR_INVALID_CONFIG` if it is not a number,
   * `ERR_RING_CORRUPT`.
   */
  read(max: number = this.capacity): FrameBatch<N> {
    wholeNumber('max', finiteNumber('max', max));
    return this.#cursor.read(max);
  }

  /**
   * Iterates over batches of frames as they arrive. Each iteration has its own position in the ring, independent of
   * `read()`. It ends when the session has ended and all frames are delivered, when `signal` is aborted, or by
   * `return()`, which `break` and `await using` call. A slow consumer never delays the writer: `missed` counts the
   * frames it lost.
   *
   * Only a pending `next()` keeps the thread alive.
   *
   * ```ts
   * for await (const { frames, missed } of reader.frames({ signal })) …
   * ```
   *
   * Throws `ERR_INVALID_CONFIG` for invalid options, and `ERR_RING_CORRUPT`, which can also reject a `next()`.
   */
  frames(options: FramesOptions = {}): FrameBatches<N> {
    assertFramesOptions(options);
    return new CursorBatches(this.#open(), options);
  }

  /**
   * Copies the next frames to `buffer` in the ring's own layout, one every 48 u64 words, and returns their number;
   * `missed` counts skipped frames. Words that no metric uses are left unchanged. Repeated calls with the same buffer
   * allocate nothing.
   *
   * Throws `ERR_OUT_OF_RANGE` if the buffer is too small for one frame (384 bytes), `ERR_INVALID_CONFIG` if it is not
   * one of the two kinds of array, `ERR_RING_CORRUPT`.
   */
  readInto(buffer: BigUint64Array | Uint32Array): number {
    if (buffer !== this.#buffer || buffer.byteLength !== this.#halves.byteLength) {
      if (!isWordArray(buffer)) {
        throw invalidConfig('buffer must be a BigUint64Array or a Uint32Array');
      }
      this.#buffer = buffer;
      // A detached buffer does not allow a view.
      this.#halves =
        buffer.byteLength === 0
          ? new Uint32Array(0)
          : new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.byteLength / 4);
    }
    // Checked on every call, because the buffer may have been transferred or shrunk since.
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

/** The constructor throws `ERR_RING_CORRUPT` or `ERR_RING_VERSION` for anything but a ring of this layout. */
export interface FrameReader<N extends number | bigint = number> extends RingFrameReader<N> {}

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

/** Returns a reader class that uses the given kind of slots. */
export function frameReaderClass(openSlots: OpenSlots): FrameReaderConstructor {
  // A class cannot express that its type argument follows from an option; a constructor type can.
  return class FrameReader<N extends number | bigint> extends RingFrameReader<N> {
    constructor(shared: SharedFrames | SharedArrayBuffer, options: FrameReaderOptions = {}) {
      super(openSlots, shared, options);
    }
  };
}

/** Works without the addon. The class in `readers/frame-reader.ts` uses the addon if it loads. */
export const FrameReader = frameReaderClass(openAtomicSlots);

function ringOf(shared: unknown): unknown {
  return typeof shared === 'object' && shared !== null && 'ring' in shared ? shared.ring : shared;
}

/** Identifies the kind of a typed array, even if it is from another realm. */
const arrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint32Array.prototype),
  Symbol.toStringTag,
)?.get;

function isWordArray(value: unknown): value is BigUint64Array | Uint32Array {
  const tag: unknown = arrayTag?.call(value);
  return tag === 'BigUint64Array' || tag === 'Uint32Array';
}
