// Publishes `count` frames whose words all follow from their seq, then ends the ring.
import { workerData } from 'node:worker_threads';
import { RingWriter } from '../../dist/ring/index.js';
import { FrameWord, RING_SLOT_WORDS } from '../../dist/ring/layout.js';

const { ring, count } = workerData;
const writer = new RingWriter(ring);
const words = new BigUint64Array(RING_SLOT_WORDS);
for (let seq = 0; seq < count; seq++) {
  const value = BigInt(seq) * 0x1_0000_0001n;
  for (let word = FrameWord.CPU_NS; word < RING_SLOT_WORDS; word++) words[word] = value;
  words[FrameWord.TS_MONO] = value;
  writer.publish(words);
}
writer.end();
