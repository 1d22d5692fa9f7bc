/** Reads a ring by the addon: copies frames in batches, and wakes the thread after the next one. */

import type { Addon, NativeRingReader } from '../addon/binding.js';
import { loadAddon } from '../addon/load.js';
import { isRefusal } from '../addon/refusal.js';
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
  const { addon } = loadAddon();
  return addon === null ? null : (ring) => new NativeSlotReader(addon, ring);
}

class NativeSlotReader implements SlotSource, SlotWaker {
  readonly shape: RingShape;
  readonly waker: SlotWaker | null;
  readonly #reader: NativeRingReader;
  readonly #words: Uint32Array;

  constructor(addon: Addon, ring: unknown) {
    const { shape, words } = bindRing(ring);
    this.#reader = openReader(addon, words);
    this.shape = shape;
    this.#words = words;
    this.waker = shape.writer === RingWriterKind.NATIVE ? this : null;
  }

  get missed(): number {
    return this.#reader.missed();
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
    return this.#reader.available();
  }

  copyNext(out: Uint32Array, max: number): number {
    return counted(this.#reader.copyNext(out, max));
  }

  copyLatest(out: Uint32Array): boolean {
    return counted(this.#reader.copyLatest(out)) > 0;
  }

  skipToLatest(): void {
    this.#reader.skipToLatest();
  }

  arm(seenHead: number, onWake: () => void): (() => void) | null {
    const wait = this.#reader.arm(seenHead, onWake);
    return wait === null ? null : () => this.#reader.disarm(wait);
  }
}

function openReader(addon: Addon, words: Uint32Array): NativeRingReader {
  try {
    return new addon.RingReader(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  } catch (thrown) {
    // Another thread changed the header since `bindRing` checked it.
    throw isRefusal(thrown) ? corrupt('the header changed while it was being read') : thrown;
  }
}

function counted(result: number): number {
  if (result < 0) throw corrupt('its head and its slots contradict each other');
  return result;
}
