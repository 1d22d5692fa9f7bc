// The sources that the machine runs: the ring's own files, changed to frames of four words.
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

export const ROOT = new URL('../../../', import.meta.url);

/** Replaces the only occurrence of `from`. Throws otherwise, so that changed sources do not go unnoticed. */
export function replaceOnce(text, from, to, where) {
  const at = text.indexOf(from);
  if (at < 0) throw new Error(`${where} no longer contains: ${from}`);
  if (text.indexOf(from, at + 1) >= 0) throw new Error(`${where} contains more than once: ${from}`);
  return text.slice(0, at) + to + text.slice(at + from.length);
}

const SMALL = {
  'native/core/schema.h': [
    ['kRingSlotBytes = 384', 'kRingSlotBytes = 64'],
    ['kRingSlotWords = 48', 'kRingSlotWords = 8'],
    ['kFrameWords = 27', 'kFrameWords = 4'],
  ],
  'src/schema/layout.ts': [
    ['RING_SLOT_BYTES = 384', 'RING_SLOT_BYTES = 64'],
    ['RING_SLOT_WORDS = 48', 'RING_SLOT_WORDS = 8'],
    ['FRAME_WORDS = 27', 'FRAME_WORDS = 4'],
  ],
};

const INCLUDE = /^#include "([^"]+)"|from '(\.[^']+)\.js'/gm;

/** Returns the files of `entries` and everything that they include or import, by their path in the project. */
function closure(entries) {
  const texts = new Map();
  const wanted = [...entries];
  for (let path = wanted.pop(); path !== undefined; path = wanted.pop()) {
    if (texts.has(path)) continue;
    let text = readFileSync(new URL(path, ROOT), 'utf8');
    for (const [, header, module] of text.matchAll(INCLUDE)) {
      wanted.push(posix.join(posix.dirname(path), header ?? `${module}.ts`));
    }
    for (const [from, to] of SMALL[path] ?? []) text = replaceOnce(text, from, to, path);
    texts.set(path, text);
  }
  return texts;
}

export const cppSources = closure(['native/core/ring_writer.h', 'native/core/ring_reader.h']);
export const jsSources = closure([
  'src/ring/create.ts',
  'src/ring/writer.ts',
  'src/ring/slot-reader.ts',
]);
