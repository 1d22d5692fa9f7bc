/** Reads a ring by the addon: copies frames in batches, and wakes the thread after the next one. */

import type { Addon, NativeRingReader } from '../addon/binding.js';
import { nativeEvents } from '../addon/events.js';
import { loadAddon } from '../addon/load.js';
import {
  bindRing,
  corrupt,
  HEAD,
  type RingShape,
  SAMPLE_PERIOD_MS,
  STATE,
} from '../ring/header.js';
import type { OpenSlots, SlotSource, SlotWaker } from '../ring/slot-source.js';
import { RingState, RingWriterKind } from '../schema/layout.js';

/** Opens slots by the addon; null if it does not load. */
export function nativeSlots(): OpenSlots | null {
  const addon = loadAddon().addon;
  return addon === null ? null : (ring) => new NativeSlotReader(addon, ring);
}

class NativeSlotReader implements SlotSource, SlotWaker {
  readonly shape: RingShape;
  readonly waker: SlotWaker | null;
  readonly #binding: Addon;
  readonly #reader: NativeRingReader;
  readonly #words: Uint32Array;

  constructor(binding: Addon, ring: unknown) {
    const { shape, words } = bindRing(ring);
    const reader = binding.openRingReader(
      new Uint8Array(words.buffer, words.byteOffset, words.byteLength),
    );
    // Another thread changed the header since `bindRing` checked it.
    if (reader === null) throw corrupt('the header changed while it was being read');
    this.shape = shape;
    this.#words = words;
    this.#binding = binding;
    this.#reader = reader;
    this.waker = shape.writer === RingWriterKind.NATIVE ? this : null;
  }

  get missed(): number {
    return this.#binding.ringReaderMissed(this.#reader);
  }

  get ended(): boolean {
    return Atomics.load(this.#words, STATE) === RingState.ENDED;
  }

  get head(): number {
    return Atomics.load(this.#words, HEAD);
  }

  get samplePeriodMs(): number {
    return Atomics.load(this.#words, SAMPLE_PERIOD_MS);
  }

  get available(): number {
    return this.#binding.ringReaderAvailable(this.#reader);
  }

  copyNext(out: Uint32Array, max: number): number {
    return counted(this.#binding.ringReaderCopyNext(this.#reader, out, max));
  }

  copyLatest(out: Uint32Array): boolean {
    return counted(this.#binding.ringReaderCopyLatest(this.#reader, out)) > 0;
  }

  skipToLatest(): void {
    this.#binding.ringReaderSkipToLatest(this.#reader);
  }

  arm(seenHead: number, onWake: () => void): (() => void) | null {
    const events = nativeEvents();
    let armed = true;
    const id = events.add(() => {
      settle();
      onWake();
    });
    const settle = () => {
      armed = false;
      events.remove(id);
      events.release();
    };
    if (!this.#binding.armRingWait(this.#reader, id, seenHead)) {
      events.remove(id);
      return null;
    }
    events.hold();
    return () => {
      if (!armed) return;
      this.#binding.disarmRingWait(this.#reader, id);
      settle();
    };
  }
}

function counted(result: number): number {
  if (result < 0) throw corrupt('the head contradicts the slots');
  return result;
}
