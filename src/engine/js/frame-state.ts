/**
 * Turns readings into frames, given what the episode has published so far: counters never decrease, user + system ≤
 * usage, and after a change of source counters continue by the deltas of the new source. The twin of
 * `native/core/frame_state.cc`; `test/tables/frame-state.txt` holds the rules.
 */

import { MAX_U63, saturatingAdd, saturatingSub } from '../../frame/saturate.js';
import { PartIndex } from '../../schema/enumerations.js';
import {
  FRAME_WORDS,
  FrameFlag,
  FrameWord,
  MetaShift,
  QualityBit,
  SourceCode,
} from '../../schema/layout.js';
import { PART_COUNTERS, PART_WORDS } from '../../schema/metrics.js';
import { Reading } from './reading.js';

/** The sources and quality bits of the three parts, by index: 0 cpu, 1 memory, 2 io. */
export interface PartOrigin {
  readonly source: [number, number, number];
  readonly quality: [number, number, number];
}

export function unknownOrigin(): PartOrigin {
  return { source: [0, 0, 0], quality: [0, 0, 0] };
}

/** The words of each part that can decrease. */
const PART_GAUGES = PART_WORDS.map((words, p) =>
  words.filter((w) => !PART_COUNTERS[p]!.includes(w)),
);

const FLAG_BITS = 0x1f;

/** A rebased counter is `published + (value read − raw)`. */
interface Base {
  raw: bigint;
  published: bigint;
}

export class FrameState {
  /** The last published value of each word; keeps the words of parts that are unavailable now. */
  readonly #published = new Reading();
  readonly #bases: Base[] = Array.from({ length: FRAME_WORDS }, () => ({
    raw: 0n,
    published: 0n,
  }));
  /** The last source that was available. */
  readonly #lastSource: [number, number, number] = [0, 0, 0];
  /** The source in the last frame, possibly unavailable. */
  readonly #frameSource: [number, number, number] = [0, 0, 0];
  #anyFrame = false;

  /**
   * Turns `reading` into a frame in place and remembers it as published: clamps it against what was published
   * before, carries the last values of unavailable parts when `flags` has TERMINAL, and fills META. Returns true if
   * the source of a part differs from that in the frame before.
   */
  apply(reading: Reading, origin: PartOrigin, flags: number): boolean {
    let sourceChanged = false;
    let meta = flags & FLAG_BITS;

    for (const p of [0, 1, 2] as const) {
      const counters = PART_COUNTERS[p];
      let source = origin.source[p];
      let quality = origin.quality[p];
      const last = this.#lastSource[p];
      const carry =
        source === SourceCode.UNAVAILABLE &&
        (flags & FrameFlag.TERMINAL) !== 0 &&
        last !== SourceCode.UNAVAILABLE;

      if (source !== SourceCode.UNAVAILABLE) {
        const rebase =
          last !== SourceCode.UNAVAILABLE &&
          (last !== source || this.#restarted(reading, counters, this.#frameSource[p]));
        if (rebase) quality |= QualityBit.REBASED;
        for (const w of counters) this.#continueCounter(reading, w, rebase);
        this.#lastSource[p] = source;
      } else {
        for (const w of PART_WORDS[p]) {
          reading.unset(w);
          if (carry && this.#published.has(w)) reading.set(w, this.#published.get(w));
        }
        if (carry) {
          source = last;
          // A counter may have grown since it was read; a gauge is only out of date.
          const total = PART_GAUGES[p]!.length === 0;
          quality = QualityBit.STALE | (total ? QualityBit.LOWER_BOUND : 0);
        }
      }

      // Carried values were not read again, so no source has come back.
      if (this.#anyFrame && !carry && this.#frameSource[p] !== source) sourceChanged = true;
      this.#frameSource[p] = source;
      meta |= source << (MetaShift.SOURCE_CPU + 2 * p);
      meta |= quality << (MetaShift.QUALITY_CPU + 4 * p);
      if (source === SourceCode.PROC) meta |= FrameFlag.DEGRADED;
    }

    for (const w of PART_COUNTERS[PartIndex.EXTRA]) this.#continueCounter(reading, w, false);
    this.#clampCpuSplit(reading);
    this.#raisePeak(reading);

    reading.set(
      FrameWord.TS_MONO,
      max(reading.get(FrameWord.TS_MONO), this.#published.get(FrameWord.TS_MONO)),
    );
    reading.set(FrameWord.META, BigInt(meta));

    for (let w: number = FrameWord.TS_MONO; w < FRAME_WORDS; w++) {
      if (w !== FrameWord.VALID && w !== FrameWord.META && reading.has(w)) {
        this.#published.set(w, reading.get(w));
      }
    }
    this.#anyFrame = true;
    return sourceChanged;
  }

  // If a part is back after a frame without it and its counter is lower, the controller was disabled meanwhile and
  // counts from 0 again.
  #restarted(reading: Reading, counters: readonly number[], frameSource: number): boolean {
    if (!this.#anyFrame || frameSource !== SourceCode.UNAVAILABLE) return false;
    return counters.some(
      (w) =>
        reading.has(w) &&
        this.#published.has(w) &&
        this.#continued(reading, w) < this.#published.get(w),
    );
  }

  #continued(reading: Reading, w: number): bigint {
    const base = this.#bases[w]!;
    const raw = min(reading.get(w), MAX_U63);
    return saturatingAdd(base.published, saturatingSub(raw, base.raw));
  }

  #continueCounter(reading: Reading, w: number, rebase: boolean): void {
    if (!reading.has(w)) return;
    if (rebase && this.#published.has(w)) {
      const base = this.#bases[w]!;
      base.raw = reading.get(w);
      base.published = this.#published.get(w);
    }
    reading.set(w, max(this.#continued(reading, w), this.#published.get(w)));
  }

  // The kernel divides usage into user and system by sampling, so each of them can decrease while usage does not.
  #clampCpuSplit(reading: Reading): void {
    if (!reading.has(FrameWord.CPU_NS)) return;
    const usage = reading.get(FrameWord.CPU_NS);
    const lastUser = this.#published.get(FrameWord.CPU_USER_NS);
    const lastSystem = this.#published.get(FrameWord.CPU_SYSTEM_NS);
    const userNs = reading.get(FrameWord.CPU_USER_NS);
    const user = clamp(userNs, lastUser, saturatingSub(usage, lastSystem));
    if (reading.has(FrameWord.CPU_USER_NS)) reading.set(FrameWord.CPU_USER_NS, user);
    if (reading.has(FrameWord.CPU_SYSTEM_NS)) {
      const system = reading.get(FrameWord.CPU_SYSTEM_NS);
      reading.set(FrameWord.CPU_SYSTEM_NS, clamp(system, lastSystem, saturatingSub(usage, user)));
    }
  }

  #raisePeak(reading: Reading): void {
    if (!reading.has(FrameWord.MEM_PEAK_BYTES)) return;
    const peak = max(
      reading.get(FrameWord.MEM_PEAK_BYTES),
      max(reading.get(FrameWord.MEM_RSS_BYTES), this.#published.get(FrameWord.MEM_PEAK_BYTES)),
    );
    reading.set(FrameWord.MEM_PEAK_BYTES, peak);
  }
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const clamp = (value: bigint, low: bigint, high: bigint): bigint => min(max(value, low), high);
