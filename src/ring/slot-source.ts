import type { RingShape } from './header.js';

/**
 * A position in a ring that copies the frames following it. There are two implementations: TypeScript with `Atomics`
 * (`slot-reader.ts`) and the addon's batch reader (`readers/native-slots.ts`).
 *
 * The position starts at the first frame of the ring. Copies are never torn; frames overwritten before they were
 * copied count as `missed`.
 */
export interface SlotSource {
  readonly shape: RingShape;
  /** Number of frames that were overwritten before they were copied. */
  readonly missed: number;
  /** Whether the ring has ended, so that no more frames will be written. */
  readonly ended: boolean;
  /** Index of the next frame to be written, u32. */
  readonly head: number;
  /** The current sample period, which the owner may change; 0 if frames are taken manually. */
  readonly samplePeriodMs: number;
  /** Number of frames that can be copied, at most the capacity. */
  readonly available: number;
  /** Lets a native writer wake this reader; null if the reader has to poll. */
  readonly waker: SlotWaker | null;
  /**
   * Copies the next frames, at most `max`, to the start of `out`, one every `SLOT_HALVES` with the low halves first,
   * and returns their number. The caller must provide enough room. Frames are in ascending order.
   *
   * Throws `ERR_RING_CORRUPT` as soon as the head contradicts the slots, even if frames were copied before.
   */
  copyNext(out: Uint32Array, max: number): number;
  /** Copies the newest frame to `out`, if there is one. Keeps the position. Throws `ERR_RING_CORRUPT`. */
  copyLatest(out: Uint32Array): boolean;
  /** Moves forward to the newest frame. The skipped frames do not count as missed. */
  skipToLatest(): void;
}

export interface SlotWaker {
  /**
   * Calls `onWake` once, on this thread's event loop, after the next frame or the end of the session, and keeps the
   * thread alive until then. Returns a function that cancels the call; it is idempotent and may be called after the
   * wake. Returns null and arms nothing if the head differs from `seenHead` or the ring has ended.
   */
  arm(seenHead: number, onWake: () => void): (() => void) | null;
}

/** Throws `ERR_RING_CORRUPT` or `ERR_RING_VERSION` for anything but a ring of this layout (`bindRing`). */
export type OpenSlots = (ring: unknown) => SlotSource;
