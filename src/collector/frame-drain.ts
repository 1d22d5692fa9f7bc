/** Takes the frames of a session out of its ring, each once, whichever caller takes it. */

import { frameFromWords } from '../frame/decode.js';
import type { TelemetryFrame } from '../frame/index.js';
import { FrameReader } from '../readers/frame-reader.js';
import type { FrameBatch } from '../ring/frame-cursor.js';
import { SLOT_HALVES } from '../ring/header.js';
import { FrameFlag, FrameWord } from '../schema/layout.js';

/** Frames copied out of the ring at a time. */
const BATCH = 64;

export class FrameDrain {
  readonly #reader: FrameReader;
  readonly #halves = new Uint32Array(BATCH * SLOT_HALVES);
  /** Frames taken so far. */
  taken = 0;

  constructor(ring: SharedArrayBuffer) {
    this.#reader = new FrameReader(ring);
  }

  /** Frames that could be taken now. */
  get available(): number {
    return this.#reader.available;
  }

  /** Takes all frames that were not taken before, oldest first. Throws `ERR_RING_CORRUPT`. */
  take(): TelemetryFrame[] {
    const reader = this.#reader;
    const { frames } = reader.read(reader.capacity);
    this.taken += frames.length;
    return frames;
  }

  /** Like `take`, with exact values and flagged `promoted`; `missed` counts the frames lost before these. */
  promote(): FrameBatch<bigint> {
    const reader = this.#reader;
    const before = reader.missed;
    const frames: TelemetryFrame<bigint>[] = [];
    // Only what is available now: a fast writer must not keep one call busy for ever.
    for (let wanted = reader.available; wanted > 0; ) {
      const count = reader.readInto(
        this.#halves.subarray(0, Math.min(wanted, BATCH) * SLOT_HALVES),
      );
      if (count === 0) break;
      for (let i = 0; i < count; i++) frames.push(this.#promoted(i));
      wanted -= count;
    }
    this.taken += frames.length;
    return { frames, missed: reader.missed - before };
  }

  #promoted(index: number): TelemetryFrame<bigint> {
    const halves = this.#halves.subarray(index * SLOT_HALVES, (index + 1) * SLOT_HALVES);
    halves[2 * FrameWord.META] = (halves[2 * FrameWord.META] as number) | FrameFlag.PROMOTED;
    return frameFromWords(this.#reader.episodeId, halves, true) as TelemetryFrame<bigint>;
  }
}
