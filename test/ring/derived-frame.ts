import { ringSlots } from '../../src/ring/header.js';
import { createRing, RingWriter } from '../../src/ring/index.js';
import {
  FrameWord,
  MetaShift,
  RING_HEADER_BYTES,
  RING_SLOT_WORDS,
  RingHeader,
  SourceCode,
} from '../../src/schema/layout.js';

export const ring = (capacity: number, first = 0): SharedArrayBuffer =>
  createRing({ episodeId: 'job', pid: 42, startMonoNs: 2n ** 40n + 1n, capacity, first });

const words = new BigUint64Array(RING_SLOT_WORDS);
words[FrameWord.META] = BigInt(
  (SourceCode.CGROUP << MetaShift.SOURCE_CPU) |
    (SourceCode.CGROUP << MetaShift.SOURCE_MEMORY) |
    (SourceCode.PROC << MetaShift.SOURCE_IO),
);
words[FrameWord.VALID] = 0x07ff_fffen;

/** Publishes `count` frames; every metric of a frame is its seq + 1000 × its word. */
export function publish(writer: RingWriter, count: number): void {
  for (let i = 0; i < count; i++) {
    for (let word: number = FrameWord.CPU_NS; word <= FrameWord.COLLECT_NS; word++) {
      words[word] = BigInt(writer.seq + 1000 * word);
    }
    words[FrameWord.TS_MONO] = BigInt(writer.seq + 1000 * FrameWord.TS_MONO);
    writer.publish(words);
  }
}

/** An empty ring whose header says that its slots have `slotBytes`, in memory that holds them. */
export function ringOfSlots(slotBytes: number, capacity: number, first = 0): SharedArrayBuffer {
  const usual = ring(capacity, first);
  const bytes = RING_HEADER_BYTES + ringSlots(capacity) * slotBytes;
  const shared = new SharedArrayBuffer(Math.max(bytes, RING_HEADER_BYTES));
  new Uint8Array(shared).set(new Uint8Array(usual, 0, RING_HEADER_BYTES));
  new DataView(shared).setUint32(RingHeader.SLOT_BYTES, slotBytes, true);
  return shared;
}

/** A ring with `count` frames in it, and its writer. */
export function filled(capacity: number, count: number, first = 0) {
  const shared = ring(capacity, first);
  const writer = new RingWriter(shared);
  publish(writer, count);
  return { shared, writer };
}
