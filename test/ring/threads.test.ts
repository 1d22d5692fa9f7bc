import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { FRAME_WORDS, FrameWord, RING_SLOT_WORDS } from '../../src/schema/layout.js';
import { ring } from './derived-frame.js';
import { READERS } from './readers.js';

/** Halves of a word that follow from the seq: `(seq × (2^32 + 1))` has the seq in both. */
const WORDS = FRAME_WORDS - FrameWord.CPU_NS;
const SLOT_HALVES = 2 * RING_SLOT_WORDS;

function tornAt(halves: Uint32Array, at: number): boolean {
  const seq = halves[at + 2 * FrameWord.SEQ];
  for (let i = 0; i < 2 * WORDS; i++) {
    if (halves[at + 2 * FrameWord.CPU_NS + i] !== seq) return true;
  }
  return halves[at + 2 * FrameWord.TS_MONO] !== seq;
}

describe.each(READERS)('INV-TL01: a writer in a worker, a reader of %s', (_kind, FrameReader) => {
  // A reader that waits until the ring is full reads the very slot that is written next.
  test.each([2, 16, 1024])(
    'a reader always a ring of %i behind gets whole frames only, in order',
    async (capacity) => {
      const count = 200_000;
      const shared = ring(capacity);
      const reader = new FrameReader(shared);
      const worker = new Worker(new URL('./frame-writer.mjs', import.meta.url), {
        workerData: { ring: shared, count },
      });
      const exit = once(worker, 'exit');
      const halves = new Uint32Array(64 * SLOT_HALVES);
      let returned = 0;
      let torn = 0;
      let disordered = 0;
      let next = 0;
      for (let last = false; !last; ) {
        last = reader.ended;
        if (!last && reader.available < capacity) {
          // The worker needs no help of this thread once it runs.
          if (returned === 0) await new Promise(setImmediate);
          continue;
        }
        let frames = reader.readInto(halves);
        while (frames > 0) {
          for (let i = 0; i < frames; i++) {
            const seq = halves[i * SLOT_HALVES + 2 * FrameWord.SEQ] ?? 0;
            if (tornAt(halves, i * SLOT_HALVES)) torn++;
            if (seq < next) disordered++;
            next = seq + 1;
          }
          returned += frames;
          frames = reader.readInto(halves);
        }
      }
      await exit;
      expect({ torn, disordered }).toEqual({ torn: 0, disordered: 0 });
      expect(returned + reader.missed).toBe(count);
      expect(next).toBe(count);
    },
  );
});
