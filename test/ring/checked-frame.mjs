import { FRAME_WORDS, FrameWord, RING_SLOT_WORDS } from '../../dist/schema/layout.js';
// native/test/stress/checked_frame.h, for frames as u32 halves.

export const SLOT_HALVES = 2 * RING_SLOT_WORDS;
const SEQ = 2 * FrameWord.SEQ;
const FIRST = SEQ + 2;
const CHECKSUM = 2 * FRAME_WORDS - 1;

/** Whether every word of the frame at `at` follows from its seq. */
export function whole(halves, at) {
  const seq = halves[at + SEQ];
  let checksum = 0;
  let wrong = 0;
  for (let half = FIRST; half < CHECKSUM; half++) {
    const value = halves[at + half] | 0;
    wrong |= value ^ Math.imul(seq + half, 0x9e3779b1);
    checksum = ((checksum << 1) | (checksum >>> 31)) ^ value;
  }
  return wrong === 0 && checksum === (halves[at + CHECKSUM] | 0);
}

export const seqOf = (halves, at) => halves[at + SEQ];
