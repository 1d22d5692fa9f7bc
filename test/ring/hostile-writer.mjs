// Publishes honestly while it overwrites any word of the ring with lies, until it is told to stop.

import { parentPort, workerData } from 'node:worker_threads';
import { RingWriter } from '../../dist/ring/index.js';
import {
  FRAME_WORDS,
  RING_HEADER_BYTES,
  RING_SLOT_WORDS,
  RingHeader,
} from '../../dist/schema/layout.js';

/** Words of 32 bits in a slot. */
const SLOT = 2 * RING_SLOT_WORDS;

const { ring, stop, seed } = workerData;
const stopped = new Int32Array(stop);
const memory = new Uint32Array(ring);
const header = memory.slice(0, RING_HEADER_BYTES / 4);
const words = new BigUint64Array(FRAME_WORDS);
const writer = new RingWriter(ring);
let state = seed;

function random() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state;
}

function lie() {
  switch (random() % 4) {
    case 0:
      // Indices far away, or nearly right.
      return Atomics.store(
        memory,
        RingHeader.HEAD / 4,
        random() % 2 ? random() : writer.seq + (random() % 64),
      );
    case 1:
      return Atomics.store(memory, (random() >>> 8) % (RING_HEADER_BYTES / 4), random());
    case 2: {
      // A stamp, of another frame of that slot perhaps.
      const slot = (random() >>> 8) % ((memory.length - RING_HEADER_BYTES / 4) / SLOT);
      return Atomics.store(
        memory,
        RING_HEADER_BYTES / 4 + slot * SLOT,
        random() % 2 ? random() : 2 * (slot + 16 * (random() % 8)) + 2,
      );
    }
    default:
      return Atomics.store(memory, (random() >>> 8) % memory.length, random());
  }
}

parentPort.postMessage('begun');
for (let round = 0; Atomics.load(stopped, 0) === 0; round++) {
  writer.publish(words);
  lie();
  // Readers that find nothing but lies have nothing to be tested with.
  if (round % 8 === 0)
    for (let i = 0; i < header.length; i++)
      if (i !== RingHeader.HEAD / 4) Atomics.store(memory, i, header[i]);
}
