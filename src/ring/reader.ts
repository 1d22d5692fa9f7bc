import { types } from 'node:util';
import { finiteNumber, outOfRange, TelemetryError, wholeNumber } from '../error/index.js';
import { frameFromWords } from '../frame/decode.js';
import type { TelemetryFrame } from '../frame/index.js';
import { SLOT_HALVES } from './header.js';
import { SlotReader } from './slot-reader.js';

/** A ring on its way to another thread: what `handle.share()` gives. Structured-cloneable. */
export interface SharedFrames {
  readonly ring: SharedArrayBuffer;
}

/** What one `read` found. */
export interface FrameBatch<N extends number | bigint = number> {
  /** Oldest first. */
  readonly frames: TelemetryFrame<N>[];
  /** Frames that were overwritten before this `read` could have them. Losing frames is no error. */
  readonly missed: number;
}

export interface FrameReaderOptions {
  /** Decode 64-bit values to bigint, exactly; default: to the nearest number. */
  readonly bigint?: boolean;
}

/** Frames copied out of the ring in one go. */
const BATCH = 64;

/**
 * Reads the frames of one ring, in any thread, as often as one likes: readers do not disturb the writer nor each
 * other. A reader begins at the first frame and is told how many it missed: returned + missed = written.
 */
class RingFrameReader<N extends number | bigint> {
  static readonly name = 'FrameReader';

  readonly episodeId: string;
  /** The root process of the episode. */
  readonly pid: number;
  /** CLOCK_MONOTONIC, ns, at the start of the session. */
  readonly startMonoNs: N;
  /** Frames that the ring holds at most. */
  readonly capacity: number;
  readonly #slots: SlotReader;
  readonly #bigint: boolean;
  #copy: Uint32Array<ArrayBufferLike> = new Uint32Array(SLOT_HALVES);
  #halves: Uint32Array = new Uint32Array(0);
  /** What the halves are a view of. */
  #buffer: BigUint64Array | Uint32Array = this.#halves;

  constructor(shared: SharedFrames | SharedArrayBuffer, options: FrameReaderOptions = {}) {
    this.#slots = new SlotReader(ringOf(shared));
    this.#bigint = options.bigint ?? false;
    const { episodeId, pid, startMonoNs, capacity } = this.#slots.shape;
    this.episodeId = episodeId;
    this.pid = pid;
    // N is the mode, by the constructor's types.
    this.startMonoNs = (this.#bigint ? startMonoNs : Number(startMonoNs)) as N;
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
    return this.#slots.copyLatest(this.#copy) ? this.#decode(0) : null;
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
    const before = this.#slots.missed;
    const frames: TelemetryFrame<N>[] = [];
    // What is there now: a fast writer must not keep one call busy for ever.
    let wanted = Math.min(max, this.available);
    while (wanted > 0) {
      const batch = Math.min(wanted, BATCH);
      if (this.#copy.length < batch * SLOT_HALVES) {
        this.#copy = new Uint32Array(BATCH * SLOT_HALVES);
      }
      const copied = this.#slots.copyNext(this.#copy, batch);
      if (copied === 0) break;
      for (let i = 0; i < copied; i++) frames.push(this.#decode(i));
      wanted -= copied;
    }
    return { frames, missed: this.#slots.missed - before };
  }

  /**
   * Copies the next frames as they are in the ring, 32 u64 words each, to `buffer`, and returns how many; `missed`
   * counts those it had to skip. Allocates nothing when called with the same buffer again.
   *
   * Throws `ERR_OUT_OF_RANGE` for a buffer that does not hold one frame (256 bytes), `ERR_INVALID_CONFIG` for
   * anything but these two kinds of array, `ERR_RING_CORRUPT`.
   */
  readInto(buffer: BigUint64Array | Uint32Array): number {
    if (buffer !== this.#buffer) {
      if (!types.isBigUint64Array(buffer) && !types.isUint32Array(buffer)) {
        throw new TelemetryError(
          'ERR_INVALID_CONFIG',
          'buffer must be a BigUint64Array or a Uint32Array',
        );
      }
      this.#halves = new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.byteLength / 4);
      this.#buffer = buffer;
    }
    // Looked at each time: a buffer that was transferred since holds nothing.
    if (this.#halves.length < SLOT_HALVES) {
      throw outOfRange('buffer.byteLength', this.#halves.byteLength, 'must be at least 256');
    }
    return this.#slots.copyNext(this.#halves, Math.floor(this.#halves.length / SLOT_HALVES));
  }

  #decode(frame: number): TelemetryFrame<N> {
    const at = frame * SLOT_HALVES;
    const halves = this.#copy.subarray(at, at + SLOT_HALVES);
    return frameFromWords(this.episodeId, halves, this.#bigint) as TelemetryFrame<N>;
  }
}

/** `ERR_RING_CORRUPT` or `ERR_RING_VERSION` from the constructor for anything but a ring of this layout. */
export type FrameReader<N extends number | bigint = number> = RingFrameReader<N>;

interface FrameReaderConstructor {
  new (
    shared: SharedFrames | SharedArrayBuffer,
    options?: { readonly bigint?: false },
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

// A class cannot say that its type argument follows from an option; a constructor type can.
export const FrameReader: FrameReaderConstructor = RingFrameReader;

function ringOf(shared: unknown): unknown {
  return typeof shared === 'object' && shared !== null && 'ring' in shared ? shared.ring : shared;
}
