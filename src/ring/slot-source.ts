import type { RingShape } from './header.js';

/**
 * One reader's place in a ring: which frame is next, and whole copies of those that follow. Two kinds: all-Atomics
 * TypeScript (`slot-reader.ts`) and the addon's batch reader (`engine/native/slot-reader.ts`).
 *
 * Begins at the first frame of the ring. Every copy is whole; frames that were overwritten first are `missed`.
 */
export interface SlotSource {
  readonly shape: RingShape;
  /** Frames that were never delivered and never will be. */
  readonly missed: number;
  /** What is in the ring is all there will be. */
  readonly ended: boolean;
  /** Index of the next frame to be written, u32. */
  readonly head: number;
  /** The sample period as it is now, which its owner may change; 0: frames are taken by hand. */
  readonly samplePeriodMs: number;
  /** Frames that are there to be read, at most the capacity. */
  readonly available: number;
  /** How a native writer wakes this reader; null: nobody does, one has to look. */
  readonly waker: SlotWaker | null;
  /**
   * Copies the frames that follow, at most `max`, to the begin of `out` (one every `SLOT_HALVES`, low halves first; the caller
   * has made sure that it holds them), and returns how many there were. Each is newer than the one before it.
   *
   * Throws `ERR_RING_CORRUPT` as soon as head and slots contradict each other; what it copied before is not told.
   */
  copyNext(out: Uint32Array, max: number): number;
  /** Copies the newest frame to `out`; false when there is none yet. Moves nothing. Throws `ERR_RING_CORRUPT`. */
  copyLatest(out: Uint32Array): boolean;
  /** Moves to the newest frame there is, if it is ahead. What is skipped by choice is not missed. */
  skipToLatest(): void;
}

export interface SlotWaker {
  /**
   * Has `onWake` called once, on this thread's event loop, after the next frame or the end, and keeps the thread
   * alive until then; returns how to call that off (idempotent, also after the wake). null, and nothing is armed, when
   * the head is not `seenHead` any more or the ring has ended.
   */
  arm(seenHead: number, onWake: () => void): (() => void) | null;
}

/** Throws `ERR_RING_CORRUPT` or `ERR_RING_VERSION` for anything but a ring of this layout (`bindRing`). */
export type OpenSlots = (ring: unknown) => SlotSource;
