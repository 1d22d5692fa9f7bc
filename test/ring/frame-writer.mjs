// Publishes `count` frames whose words all follow from their seq, then ends the ring.

import { workerData } from 'node:worker_threads';
import { RingWriter } from '../../dist/ring/index.js';
import { FRAME_WORDS, FrameWord } from '../../dist/schema/layout.js';

const { ring, count } = workerData;
const writer = new RingWriter(ring);
const words = new BigUint64Array(FRAME_WORDS);
for (let seq = 0; seq < count; seq++) {
  const value = BigInt(seq) * 0x1_0000_0001n;
  for (let word = FrameWord.CPU_NS; word < FRAME_WORDS; word++) words[word] = value;
  words[FrameWord.TS_MONO] = value;
  writer.publish(words);
}
writer.end();
