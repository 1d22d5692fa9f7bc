// The mutations, each of which breaks one thing: every ordering in the ring's files, found in their text, and mistakes
// in the logic.
import { basename } from 'node:path';
import { cppSources, jsSources, replaceOnce } from './sources.mjs';

const WRITER_H = 'native/core/ring_writer.h';
const READER_H = 'native/core/ring_reader.h';
const SHAPE_H = 'native/core/ring_shape.h';
const WRITER_TS = 'src/ring/writer.ts';
const READER_TS = 'src/ring/slot-reader.ts';
const HEADER_TS = 'src/ring/header.ts';

/** Mistakes in the logic: [file, name, from, to, from, to, …]. */
const MISTAKES = [
  [WRITER_H, 'no odd stamp', 'stamp.store(stamp_writing(index), std::memory_order_relaxed);', ''],
  [
    WRITER_H,
    'odd stamp after its fence',
    'stamp.store(stamp_writing(index), std::memory_order_relaxed);',
    '',
    'std::atomic_thread_fence(std::memory_order_release);',
    `std::atomic_thread_fence(std::memory_order_release);
     stamp.store(stamp_writing(index), std::memory_order_relaxed);`,
  ],
  [
    WRITER_H,
    'head before the even stamp',
    'stamp.store(stamp_done(index), std::memory_order_release);',
    '',
    'ring_.head().store(head_, std::memory_order_release);',
    `ring_.head().store(head_, std::memory_order_release);
     stamp.store(stamp_done(index), std::memory_order_release);`,
  ],
  [
    READER_H,
    'no first look',
    'if (stamp.load(std::memory_order_acquire) != expected) {',
    'if (false) {',
  ],
  [
    READER_H,
    'no second look',
    'return stamp.load(std::memory_order_relaxed) == expected;',
    'return true;',
  ],
  [
    READER_H,
    'second look only for evenness',
    'return stamp.load(std::memory_order_relaxed) == expected;',
    'return stamp.load(std::memory_order_relaxed) % 2 == 0;',
  ],
  [
    READER_H,
    'second look before its fence',
    'std::atomic_thread_fence(std::memory_order_acquire);',
    'const bool same = stamp.load(std::memory_order_relaxed) == expected;',
    'return stamp.load(std::memory_order_relaxed) == expected;',
    'std::atomic_thread_fence(std::memory_order_acquire); return same;',
  ],
  [
    READER_H,
    'any even stamp will do',
    'const uint32_t expected = stamp_done(index);',
    'const uint32_t expected = stamp.load(std::memory_order_acquire) & ~1u;',
  ],
  [
    WRITER_H,
    'words that no metric uses stored too',
    'w < kFrameWords; w++) {',
    'w < kRingSlotWords; w++) {',
    'store(reading.words[w], kData);',
    'store(w < kFrameWords ? reading.words[w] : 0, kData);',
  ],
  [
    READER_H,
    'words that no metric uses copied too',
    'for (uint32_t w = 1; w < kFrameWords; w++) {',
    'for (uint32_t w = 1; w < kRingSlotWords; w++) {',
  ],
  [
    WRITER_TS,
    'words that no metric uses stored too',
    'for (let half = FIRST_DATA_HALF; half < FRAME_HALVES; half++) {',
    'for (let half = FIRST_DATA_HALF; half < this.#slotHalves; half++) {',
  ],
  [
    READER_TS,
    'words that no metric uses copied too',
    'for (let half = 1; half < FRAME_HALVES; half++)',
    'for (let half = 1; half < this.#slotHalves; half++)',
  ],
  [READER_H, 'missed not counted', 'missed_ += static_cast<uint32_t>(cursor - cursor_);', ''],
  [WRITER_TS, 'no odd stamp', 'Atomics.store(ring, slot, (2 * index + 1) | 0);', ''],
  [
    WRITER_TS,
    'head before the even stamp',
    'Atomics.store(ring, slot, (2 * index + 2) | 0);',
    '',
    'Atomics.store(ring, HEAD, this.#head | 0);',
    'Atomics.store(ring, HEAD, this.#head | 0); Atomics.store(ring, slot, (2 * index + 2) | 0);',
  ],
  [READER_TS, 'no second look', 'return Atomics.load(ring, slot) === expected;', 'return true;'],
  [
    READER_TS,
    'second look only for evenness',
    'return Atomics.load(ring, slot) === expected;',
    'return Atomics.load(ring, slot) % 2 === 0;',
  ],
  [
    READER_TS,
    'any even stamp will do',
    'const expected = (2 * index + 2) | 0;',
    'const expected = Atomics.load(ring, slot) & ~1;',
  ],
  [READER_TS, 'missed not counted', 'this.#missed += (cursor - this.#cursor) >>> 0;', ''],
];

/**
 * Orderings on which no promise depends, by their line, with the reason. The machine must find every other mutation,
 * and must not find these: a reason that no longer holds has to be removed.
 */
const NEEDLESS = new Map([
  [
    'ring_writer.h: ring.writer().store(ring_writer_kind::kNative, std::memory_order_release);',
    'says who might wake a reader, and no reader goes by it to find a frame',
  ],
  [
    'ring_writer.h: head_ = ring.head().load(std::memory_order_acquire);',
    'nobody but the writer stores it',
  ],
  [
    'ring_writer.h: ring_.deadlines_missed().store(missed, std::memory_order_release);',
    'a count of its own, which belongs to no frame',
  ],
  [
    'ring_reader.h: const uint32_t stamp = ring_.slot(index).stamp().load(std::memory_order_acquire);',
    'compared only: no word is read because of it',
  ],
  [
    'ring_shape.h: return load(bytes + offset, std::memory_order_acquire);',
    'the header stands before the ring is given away',
  ],
  [
    'ring_shape.h: const uint32_t there = in.stamp().load(std::memory_order_acquire);',
    'who acquired the head knows the stamps below it',
  ],
  ['writer.ts: this.#head = Atomics.load(words, HEAD);', 'nobody but the writer stores it'],
  [
    'writer.ts: Atomics.store(words, RingHeader.WRITER / 4, RingWriterKind.JS);',
    'says who might wake a reader, and no reader goes by it to find a frame',
  ],
  [
    'writer.ts: Atomics.store(ring, slot, (2 * index + 1) | 0);',
    'every word after it is an Atomics.store: who loads one knows this stamp',
  ],
  [
    'writer.ts: Atomics.store(ring, slot + 2 * FrameWord.SEQ + 1, Math.floor(this.#seq / 2 ** 32));',
    'always 0 within reach of the machine; the lower half is the same and is found',
  ],
  [
    'writer.ts: Atomics.store(this.#ring, RingHeader.DEADLINES_MISSED / 4, missed);',
    'a count of its own, which belongs to no frame',
  ],
  [
    'slot-reader.ts: return Atomics.load(this.#ring, SAMPLE_PERIOD_MS);',
    'says how often to look for frames, and no reader goes by it to find one',
  ],
  [
    'slot-reader.ts: return Atomics.load(ring, slot) === expected;',
    'every word before it is an Atomics.load: who saw a newer one knows its odd stamp',
  ],
  [
    'header.ts: const field = (byte: number) => Atomics.load(header, byte / 4);',
    'the header stands before the ring is given away',
  ],
  [
    'header.ts: const stamp = Atomics.load(words, FIRST_SLOT + (index & mask) * shape.slotHalves);',
    'compared only: no word is read because of it',
  ],
  [
    'header.ts: const whole = Atomics.load(words, slot) === (2 * newest + 2) >>> 0;',
    'the seq before it is an Atomics.load: who saw a newer one knows its odd stamp',
  ],
]);

const ORDERINGS = {
  cpp: /std::atomic_thread_fence\(std::memory_order_\w+\);|std::memory_order_(?:acquire|release|acq_rel|seq_cst)/g,
  js: /\bAtomics\.(?=load\(|store\()/g,
};

const SIDES = new Map([
  [WRITER_H, 'writer'],
  [WRITER_TS, 'writer'],
  [READER_H, 'reader'],
  [READER_TS, 'reader'],
]);

function weaker(ordering) {
  if (ordering.startsWith('Atomics')) return 'Plain.';
  return ordering.includes('fence') ? '' : 'std::memory_order_relaxed';
}

function* mistakes() {
  for (const [file, name, ...edits] of MISTAKES) {
    let text = cppSources.get(file) ?? jsSources.get(file);
    for (let i = 0; i < edits.length; i += 2) {
      text = replaceOnce(text, edits[i], edits[i + 1], file);
    }
    yield { file, name: `${basename(file)}: ${name}`, text, tsan: false };
  }
}

function* weakened(sources, orderings, files) {
  for (const file of files) {
    const text = sources.get(file);
    for (const { 0: ordering, index } of text.matchAll(orderings)) {
      const lines = text.slice(0, index).split('\n');
      const line = text.split('\n')[lines.length - 1].trim();
      yield {
        file,
        name: `${basename(file)}:${lines.length} weaker: ${line}`,
        text: text.slice(0, index) + weaker(ordering) + text.slice(index + ordering.length),
        // Replaces the fences under TSan.
        tsan: line.includes('kData ='),
        needless: NEEDLESS.get(`${basename(file)}: ${line}`),
      };
    }
  }
}

export const MUTATIONS = [
  ...mistakes(),
  ...weakened(cppSources, ORDERINGS.cpp, [WRITER_H, READER_H, SHAPE_H]),
  ...weakened(jsSources, ORDERINGS.js, [WRITER_TS, READER_TS, HEADER_TS]),
].map((mutation) => ({ ...mutation, side: SIDES.get(mutation.file) ?? 'both' }));

// A reason whose line no longer exists has to be removed.
for (const key of NEEDLESS.keys()) {
  const [file, line] = key.split(/: (.*)/);
  if (!MUTATIONS.some(({ name }) => name.startsWith(file) && name.endsWith(`weaker: ${line}`))) {
    throw new Error(`no ordering of ${file} reads: ${line}`);
  }
}
