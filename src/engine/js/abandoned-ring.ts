/** Ends a ring whose sampler died, so that its readers do not wait for more frames. */

import { bindRing, FRAME_HALVES, STATE } from '../../ring/header.js';
import { openAtomicSlots } from '../../ring/slot-reader.js';
import { RingWriter } from '../../ring/writer.js';
import {
  FRAME_WORDS,
  FrameFlag,
  FrameWord,
  MetaShift,
  QualityBit,
  RingState,
  SourceCode,
} from '../../schema/layout.js';

const PARTS = [
  [MetaShift.SOURCE_CPU, MetaShift.QUALITY_CPU],
  [MetaShift.SOURCE_MEMORY, MetaShift.QUALITY_MEMORY],
  [MetaShift.SOURCE_IO, MetaShift.QUALITY_IO],
] as const;

/**
 * Publishes the values of the last frame again as the terminal frame, unless the sampler has already done so, and ends
 * the ring. The sampler must no longer be writing. Returns the slot words of the terminal frame. Throws
 * `ERR_RING_CORRUPT`.
 */
export function endAbandonedRing(ring: SharedArrayBuffer, nowNs: bigint): BigUint64Array {
  const words = latestWords(ring);
  const meta = Number(words[FrameWord.META]);
  const state = bindRing(ring).words;
  if ((meta & FrameFlag.TERMINAL) === 0) {
    words[FrameWord.META] = BigInt(abandonedMeta(meta));
    words[FrameWord.TS_MONO] = nowNs;
    words[FrameWord.COLLECT_NS] = 0n;
    words[FrameWord.VALID]! &= ~(1n << BigInt(FrameWord.COLLECT_NS));
    new RingWriter(ring).publish(words);
    words[FrameWord.SEQ]!++;
  }
  Atomics.store(state, STATE, RingState.ENDED);
  return words;
}

function latestWords(ring: SharedArrayBuffer): BigUint64Array {
  const words = new BigUint64Array(FRAME_WORDS);
  openAtomicSlots(ring).copyLatest(new Uint32Array(words.buffer, 0, FRAME_HALVES));
  return words;
}

/** Marks every available value as stale: none of them was read at the end. */
function abandonedMeta(meta: number): number {
  let abandoned = (meta & FrameFlag.DEGRADED) | FrameFlag.TERMINAL;
  for (const [sourceShift, qualityShift] of PARTS) {
    const source = (meta >> sourceShift) & 3;
    abandoned |= source << sourceShift;
    if (source === SourceCode.UNAVAILABLE) continue;
    abandoned |= (QualityBit.STALE | QualityBit.LOWER_BOUND) << qualityShift;
  }
  return abandoned;
}
