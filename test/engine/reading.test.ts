import { expect, test } from 'vitest';
import { Reading } from '../../src/engine/js/reading.js';
import { FrameWord } from '../../src/schema/layout.js';

test.each([5, 31, 32, 40, 63])(
  'word %i has its own bit of the validity word, and no other',
  (word) => {
    const reading = new Reading();
    reading.set(word, 1n);
    expect(reading.words[FrameWord.VALID]).toBe(1n << BigInt(word));
    const valid = Array.from({ length: 64 }, (_, w) => w).filter((w) => reading.has(w));
    expect(valid).toEqual([word]);
    reading.unset(word);
    expect(reading.words[FrameWord.VALID]).toBe(0n);
  },
);
