/** Flat keyed text: one `key value` per line, in any order, possibly with unknown keys. */

import { saturatingMul } from '../../frame/saturate.js';
import { digits } from './digits.js';
import {
  ascii,
  fault,
  find,
  lineEnd,
  type ParseFault,
  SPACE,
  startsWith,
  type TextParser,
} from './fault.js';

/**
 * How the kernel prints a number, and therefore what is accepted: only digits; digits with an optional minus sign (a
 * negative number is 0); or a gauge, for which 2^63 or more is a negative number that was printed unsigned.
 */
type Figure = 'unsigned' | 'signed' | 'gauge';

export interface FlatKey {
  readonly name: Uint8Array;
  readonly figure: Figure;
  /** The factor by which the kernel's unit is multiplied. */
  readonly scale: bigint;
  readonly required: boolean;
}

/** A key that the text must have. */
export function required(name: string, scale = 1n): FlatKey {
  return { name: ascii(name), figure: 'unsigned', scale, required: true };
}

/** A key that the text may lack; its value is then null. */
export function optional(name: string, figure: Figure = 'unsigned', scale = 1n): FlatKey {
  return { name: ascii(name), figure, scale, required: false };
}

const COLON = 0x3a;

/** `cgroup.events` → populated, frozen. */
export const parseCgroupEvents = flatParser([required('populated'), optional('frozen')]);

/** `/proc/<pid>/io` → rchar, wchar, syscr, syscw, read_bytes, write_bytes. */
export const parseProcIo = flatParser(
  [
    optional('rchar'),
    optional('wchar'),
    optional('syscr'),
    optional('syscw'),
    required('read_bytes'),
    required('write_bytes'),
  ],
  COLON,
);

/** Makes a parser of the values of `keys`, in the same order. A colon that ends a key is followed by one space. */
export function flatParser(keys: readonly FlatKey[], separator: number = SPACE): TextParser {
  return (text, length, values) => parseFlat(separator, keys, text, length, values);
}

// Hot: memory.stat has some fifty lines. An unknown line costs a scan and a few comparisons, no allocation.
function parseFlat(
  separator: number,
  keys: readonly FlatKey[],
  text: Uint8Array,
  length: number,
  values: (bigint | null)[],
): ParseFault | null {
  if (length === 0) return fault(0, 'empty file');
  values.fill(null);
  for (let start = 0; start < length; ) {
    const end = lineEnd(text, start, length);
    const keyEnd = find(text, separator, start, end);
    const index = keyIndex(keys, text, start, keyEnd);
    if (index >= 0) {
      let valueStart = keyEnd + 1;
      if (separator === COLON && keyEnd < end) {
        valueStart++;
        if (text[keyEnd + 1] !== SPACE) return fault(end, 'missing value');
      }
      if (valueStart > end) return fault(end, 'missing value');
      const { figure, scale } = keys[index]!;
      const scanned =
        figure === 'unsigned'
          ? digits.scan(text, valueStart, end)
          : digits.scanSigned(text, valueStart, end);
      if (!scanned) return fault(digits.end, 'malformed number');
      if (figure === 'gauge' && digits.beyond) return fault(valueStart, 'gauge below zero');
      values[index] = scale === 1n ? digits.value : saturatingMul(digits.value, scale);
    }
    start = end + 1;
  }
  for (let i = 0; i < keys.length; i++) {
    if (keys[i]!.required && values[i] === null) return fault(length, 'missing key');
  }
  return null;
}

function keyIndex(keys: readonly FlatKey[], text: Uint8Array, start: number, end: number): number {
  for (let i = 0; i < keys.length; i++) {
    const { name } = keys[i]!;
    if (name.length === end - start && startsWith(text, name, start, end)) return i;
  }
  return -1;
}
