import { invalidConfig } from '../error/index.js';
import { QualityBit } from '../schema/layout.js';

/**
 * Qualifies a figure:
 *
 * - `lowerBound`: the true value may be higher.
 * - `stale`: the value was carried over from an earlier read.
 * - `rebased`: the source changed since the last frame.
 * - `final`: the value will not grow any further.
 */
export type FrameQuality = 'lowerBound' | 'stale' | 'rebased' | 'final';

/** The qualities of each part of a frame. */
export interface FrameQualities {
  readonly cpu: ReadonlySet<FrameQuality>;
  readonly memory: ReadonlySet<FrameQuality>;
  readonly io: ReadonlySet<FrameQuality>;
}

const BITS: readonly (readonly [FrameQuality, number])[] = [
  ['lowerBound', QualityBit.LOWER_BOUND],
  ['stale', QualityBit.STALE],
  ['rebased', QualityBit.REBASED],
  ['final', QualityBit.FINAL],
];

/** All frames share the sixteen possible sets, so the sets must be immutable. */
class SharedSet extends Set<FrameQuality> {
  constructor(values: readonly FrameQuality[]) {
    super();
    for (const value of values) super.add(value);
  }
  override add(): never {
    throw new TypeError('the quality of a frame does not change');
  }
  override delete(): never {
    throw new TypeError('the quality of a frame does not change');
  }
  override clear(): never {
    throw new TypeError('the quality of a frame does not change');
  }
}

const SETS: readonly ReadonlySet<FrameQuality>[] = Array.from(
  { length: 16 },
  (_, bits) => new SharedSet(BITS.filter(([, bit]) => bits & bit).map(([name]) => name)),
);

/** Returns the set for the low four bits of `bits`. */
export function qualityFromBits(bits: number): ReadonlySet<FrameQuality> {
  return SETS[bits & 15] as ReadonlySet<FrameQuality>;
}

/** Returns the `QualityBit`s of a set of names. Throws `ERR_INVALID_CONFIG` for an unknown name. */
export function qualityToBits(quality: Iterable<FrameQuality>): number {
  let bits = 0;
  for (const name of quality) {
    const known = BITS.find(([each]) => each === name);
    if (!known) {
      throw invalidConfig(`unknown quality: ${String(name)}`);
    }
    bits |= known[1];
  }
  return bits;
}
