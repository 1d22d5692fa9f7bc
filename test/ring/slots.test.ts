import { describe, expect, test } from 'vitest';
import { ringBytes } from '../../src/ring/create.js';
import { ringSlots } from '../../src/ring/header.js';
import { FRAME_WORDS, RING_SLOT_BYTES, RING_SLOT_WORDS } from '../../src/schema/layout.js';

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
