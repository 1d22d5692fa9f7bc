// How many heap bytes one frame through publish() and readInto() costs, as a slope over two run lengths.

import { createRing, RingWriter } from '../../dist/ring/index.js';
import { FRAME_WORDS, RING_SLOT_WORDS } from '../../dist/schema/layout.js';
import { READERS } from './readers.mjs';

const FrameReader = READERS[process.argv[2]];

const ring = createRing({ episodeId: 'job', pid: 1, startMonoNs: 0n, capacity: 64 });
const writer = new RingWriter(ring);
const reader = new FrameReader(ring);
const words = new BigUint64Array(FRAME_WORDS).fill(0xffff_fff0_ffff_fff0n);
const buffer = new BigUint64Array(16 * RING_SLOT_WORDS);

function run(rounds) {
  let copied = 0;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < 8; i++) writer.publish(words);
    copied += reader.readInto(buffer);
  }
  return copied;
}

function bytesOf(rounds) {
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  run(rounds);
  return process.memoryUsage().heapUsed - before;
}

run(20_000);
const short = bytesOf(1_000);
const long = bytesOf(21_000);
process.stdout.write(JSON.stringify({ bytesPerFrame: (long - short) / (20_000 * 8) }));
