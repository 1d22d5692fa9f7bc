import { TelemetryError } from '../error/index.js';
import { QualityBit } from '../schema/layout.js';

/**
 * What is to be known about a figure: `lowerBound` the truth may be higher · `stale` carried from an earlier
 * read · `rebased` its source changed since the last frame · `final` nothing will be added to it.
 */
export type FrameQuality = 'lowerBound' | 'stale' | 'rebased' | 'final';

/** The quality of each part of a frame. */
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

/** The sixteen sets there can be are shared by all frames, so they must not change in anybody's hand. */
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

/** The set for the low four bits of `bits`. */
export function qualityFromBits(bits: number): ReadonlySet<FrameQuality> {
  return SETS[bits & 15] as ReadonlySet<FrameQuality>;
}

/** `QualityBit`s of a set of names; an unknown name is `ERR_INVALID_CONFIG`. */
export function qualityToBits(quality: Iterable<FrameQuality>): number {
  let bits = 0;
  for (const name of quality) {
    const known = BITS.find(([each]) => each === name);
    if (!known) {
      throw new TelemetryError('ERR_INVALID_CONFIG', `unknown quality: ${String(name)}`);
    }
    bits |= known[1];
  }
  return bits;
}
