import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as layout from '../../src/ring/layout.js';

const header = readFileSync(new URL('../../native/core/ring_layout.h', import.meta.url), 'utf8');

/** `{ '': { RING_MAGIC: … }, word: { CPU_NS: … } }` of the C++ header, by namespace. */
function constantsOf(text: string): Record<string, Record<string, number>> {
  const found: Record<string, Record<string, number>> = {};
  let namespace = '';
  for (const line of text.split('\n')) {
    const opened = /^namespace (\w+) \{/.exec(line);
    const closed = /^\}\s*\/\/ namespace (\w+)/.exec(line);
    const constant = /constexpr uint32_t k(\w+) = (0x[0-9a-fA-F]+|\d+);/.exec(line);
    if (opened && opened[1] !== 'episcope') namespace = opened[1] as string;
    else if (closed) namespace = '';
    else if (constant) {
      found[namespace] ??= {};
      (found[namespace] as Record<string, number>)[upper(constant[1] as string)] = Number(
        constant[2],
      );
    } else if (line.includes('constexpr')) throw new Error(`not understood: ${line}`);
  }
  return found;
}

/** `CpuNrThrottled` → `CPU_NR_THROTTLED`. */
function upper(name: string): string {
  return name.replace(/(?<=[a-z0-9])[A-Z]/g, '_$&').toUpperCase();
}

describe('layout.ts and ring_layout.h say the same', () => {
  const native = constantsOf(header);

  test.each([
    ['header', layout.RingHeader],
    ['ring_state', layout.RingState],
    ['ring_writer_kind', layout.RingWriterKind],
    ['word', layout.FrameWord],
    ['flag', layout.FrameFlag],
    ['meta_shift', layout.MetaShift],
    ['source', layout.SourceCode],
    ['quality', layout.QualityBit],
  ])('in %s', (namespace, constants) => {
    expect(native[namespace]).toEqual(constants);
  });

  test('in the sizes', () => {
    expect(native['']).toEqual({
      RING_MAGIC: layout.RING_MAGIC,
      RING_VERSION: layout.RING_VERSION,
      RING_HEADER_BYTES: layout.RING_HEADER_BYTES,
      RING_SLOT_BYTES: layout.RING_SLOT_BYTES,
      RING_SLOT_WORDS: layout.RING_SLOT_WORDS,
    });
  });

  test('and no namespace is in one of them only', () => {
    expect(Object.keys(native).sort()).toEqual(
      [
        '',
        'flag',
        'header',
        'meta_shift',
        'quality',
        'ring_state',
        'ring_writer_kind',
        'source',
        'word',
      ].sort(),
    );
  });
});

describe('slots', () => {
  test.each([
    [1, 2],
    [2, 2],
    [3, 4],
    [64, 64],
    [65, 128],
    [65_536, 65_536],
  ])('a capacity of %i has %i', (capacity, slots) => {
    expect(layout.ringSlots(capacity)).toBe(slots);
    expect(layout.ringBytes(capacity)).toBe(256 + slots * 256);
  });
});
