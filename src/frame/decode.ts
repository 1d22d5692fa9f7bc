import { TelemetryError } from '../error/index.js';
import { MAX_FRAME_COUNT } from '../schema/bounds.js';
import { type FrameFigures, figuresOfWords } from '../schema/frame-values.js';
import { FRAME_WORDS, FrameWord, MetaShift } from '../schema/layout.js';
import { PART_VALID } from '../schema/metrics.js';
import { unsafeValues } from './exact.js';
import type { FrameHead } from './fields.js';
import { TelemetryFrame } from './frame.js';
import type { MetricSource, MetricSources } from './metric-source.js';
import { flagsFromBits } from './o11y-flags.js';
import { qualityFromBits } from './quality.js';

/** Indexed by `SourceCode`. */
const SOURCES: readonly MetricSource[] = ['unavailable', 'cgroup', 'proc'];
/** A high half of at least this means that the value is 2^53 or more. */
const UNSAFE_HIGH = 2 ** 21;

type ReadWord<N> = (halves: Uint32Array, word: number) => N;

/**
 * Decodes one slot, given as the u32 halves of its words (low half first). Numbers are computed from the halves,
 * which avoids a bigint per word and rounds only once, to the nearest double.
 *
 * Clamps values to 2^63 − 1. Throws `ERR_RING_CORRUPT` for an unknown source code.
 */
export function frameFromWords(
  episodeId: string,
  halves: Uint32Array,
  bigint: boolean,
): TelemetryFrame<number | bigint> {
  if (bigint) {
    const head = headOf(episodeId, halves, wordAsBigint);
    return new TelemetryFrame(head, figuresOf(head, halves, wordAsBigint));
  }
  const head = headOf(episodeId, halves, wordAsNumber);
  const exact = hasUnsafe(halves) ? exactOf(episodeId, halves) : null;
  return new TelemetryFrame(head, figuresOf(head, halves, wordAsNumber), exact);
}

function exactOf(episodeId: string, halves: Uint32Array) {
  const head = headOf(episodeId, halves, wordAsBigint);
  return unsafeValues({ ...head, ...figuresOf(head, halves, wordAsBigint) });
}

function wordAsNumber(halves: Uint32Array, word: number): number {
  const high = halves[2 * word + 1] as number;
  return high > 0x7fffffff ? 2 ** 63 : high * 2 ** 32 + (halves[2 * word] as number);
}

function wordAsBigint(halves: Uint32Array, word: number): bigint {
  const value =
    (BigInt(halves[2 * word + 1] as number) << 32n) | BigInt(halves[2 * word] as number);
  return value > MAX_FRAME_COUNT ? MAX_FRAME_COUNT : value;
}

/** Decodes the sources in the word `META`. Throws `ERR_RING_CORRUPT` for an unknown code. */
export function sourcesFromMeta(meta: number): MetricSources {
  return {
    cpu: sourceFromMeta(meta, MetaShift.SOURCE_CPU),
    memory: sourceFromMeta(meta, MetaShift.SOURCE_MEMORY),
    io: sourceFromMeta(meta, MetaShift.SOURCE_IO),
  };
}

function sourceFromMeta(meta: number, shift: number): MetricSource {
  const source = SOURCES[(meta >>> shift) & 3];
  if (source) return source;
  throw new TelemetryError('ERR_RING_CORRUPT', 'a frame has an unknown source code');
}

function hasUnsafe(halves: Uint32Array): boolean {
  if ((halves[2 * FrameWord.SEQ + 1] as number) >= UNSAFE_HIGH) return true;
  if ((halves[2 * FrameWord.TS_MONO + 1] as number) >= UNSAFE_HIGH) return true;
  for (let word = FrameWord.META + 1; word < FRAME_WORDS; word++) {
    if ((halves[2 * word + 1] as number) >= UNSAFE_HIGH) return true;
  }
  return false;
}

function headOf<N extends number | bigint>(
  episodeId: string,
  halves: Uint32Array,
  read: ReadWord<N>,
): FrameHead<N> {
  const meta = halves[2 * FrameWord.META] as number;
  return {
    episodeId,
    seq: read(halves, FrameWord.SEQ),
    tsMono: read(halves, FrameWord.TS_MONO),
    sources: sourcesFromMeta(meta),
    quality: {
      cpu: qualityFromBits(meta >>> MetaShift.QUALITY_CPU),
      memory: qualityFromBits(meta >>> MetaShift.QUALITY_MEMORY),
      io: qualityFromBits(meta >>> MetaShift.QUALITY_IO),
    },
    o11yFlags: flagsFromBits(meta),
  };
}

function figuresOf<N extends number | bigint>(
  { sources }: FrameHead<N>,
  halves: Uint32Array,
  read: ReadWord<N>,
): FrameFigures<N> {
  let low = halves[2 * FrameWord.VALID] as number;
  let high = halves[2 * FrameWord.VALID + 1] as number;
  if (sources.cpu === 'unavailable') {
    low &= ~PART_VALID.cpu[0];
    high &= ~PART_VALID.cpu[1];
  }
  if (sources.memory === 'unavailable') {
    low &= ~PART_VALID.memory[0];
    high &= ~PART_VALID.memory[1];
  }
  if (sources.io === 'unavailable') {
    low &= ~PART_VALID.io[0];
    high &= ~PART_VALID.io[1];
  }
  return figuresOfWords(halves, low, high, read);
}
