import { describe, expect, test } from 'vitest';
import { ringBytes } from '../../src/ring/create.js';
import { ringSlots } from '../../src/ring/header.js';
import {
  FRAME_WORDS,
  FrameWord,
  MAX_RING_SLOT_BYTES,
  RING_HEADER_BYTES,
  RING_SLOT_BYTES,
  RING_SLOT_WORDS,
} from '../../src/schema/layout.js';
import { ENGINES } from '../support/engines.js';
import { ringOfSlots } from './derived-frame.js';
import { READERS } from './readers.js';
import { writerOf } from './writers.js';

/** Each kind of writer with each kind of reader. */
const PAIRS = ENGINES.flatMap((writer) =>
  READERS.map(([reader, FrameReader]) => [writer, reader, FrameReader] as const),
);

describe('slots', () => {
  test.each([
    [1, 2],
    [2, 2],
    [3, 4],
    [64, 64],
    [65, 128],
    [65_536, 65_536],
  ])('a capacity of %i has %i', (capacity, slots) => {
    expect(ringSlots(capacity)).toBe(slots);
    expect(ringBytes(capacity)).toBe(256 + slots * RING_SLOT_BYTES);
  });

  test('do not share a cache line, and have room for words to come', () => {
    expect(RING_SLOT_BYTES % 64).toBe(0);
    expect(RING_SLOT_BYTES).toBe(8 * RING_SLOT_WORDS);
    expect(RING_SLOT_WORDS - FRAME_WORDS).toBeGreaterThanOrEqual(14);
  });
});

describe.each(PAIRS)('%s writer, %s reader', (writer, _reader, FrameReader) => {
  // A later release may have more words in a frame; those known here are at the begin of its slots.
  test.each([256, RING_SLOT_BYTES, 448, MAX_RING_SLOT_BYTES])(
    'slots of %i bytes, as their header says, are written and read',
    (slotBytes) => {
      const first = 2 ** 32 - 2;
      const shared = ringOfSlots(slotBytes, 4, first);
      const { publish } = writerOf(writer, shared);
      publish(6);
      const reader = new FrameReader(shared);
      expect(reader.latest()?.seq).toBe(5);
      const { frames, missed } = reader.read();
      expect({ missed, seqs: frames.map(({ seq }) => seq) }).toEqual({
        missed: 2,
        seqs: [2, 3, 4, 5],
      });
      const words = new BigUint64Array(shared, RING_HEADER_BYTES);
      const stamps = [0, 1, 2, 3].map((slot) => Number(words[(slot * slotBytes) / 8]));
      expect(stamps).toEqual([2, 4, 6, 8]);
    },
  );

  test.each([RING_SLOT_BYTES, 448])(
    'words that no metric uses are neither written nor copied, in slots of %i bytes',
    (slotBytes) => {
      const pattern = 0xa5a5_a5a5_a5a5_a5a5n;
      const slotWords = slotBytes / 8;
      const shared = ringOfSlots(slotBytes, 2);
      const { publish } = writerOf(writer, shared);
      const words = new BigUint64Array(shared, RING_HEADER_BYTES);
      words.fill(pattern);
      publish(2);
      for (const slot of [0, 1]) {
        const unused = words.slice(slot * slotWords + FRAME_WORDS, (slot + 1) * slotWords);
        expect(unused.every((word) => word === pattern)).toBe(true);
      }

      const reader = new FrameReader(shared);
      // The second begins where no u64 is aligned.
      const memory = new ArrayBuffer(2 * RING_SLOT_BYTES + 4);
      for (const out of [
        new Uint32Array(memory, 0, 2 * RING_SLOT_WORDS),
        new Uint32Array(memory, 4, 2 * RING_SLOT_WORDS),
      ]) {
        out.fill(7);
        expect(reader.readInto(out)).toBe(1);
        expect(out[2 * FrameWord.SEQ]).not.toBe(7);
        expect(out.slice(2 * FRAME_WORDS).every((half) => half === 7)).toBe(true);
      }
    },
  );
});
