/** `/proc/<pid>/statm`: `size resident shared text lib data dt`, in pages. */
import { digits } from './digits.js';
import { fault, find, lineEnd, SPACE, type TextParser } from './fault.js';

/** → size, resident, shared pages. */
export const parseStatm: TextParser = (text, length, values) => {
  if (length === 0) return fault(0, 'empty file');
  const limit = lineEnd(text, 0, length);
  let at = 0;
  for (let i = 0; i < 3; i++) {
    if (at >= limit) return fault(length, 'missing field');
    const end = find(text, SPACE, at, limit);
    if (!digits.scanSigned(text, at, end)) return fault(digits.end, 'malformed number');
    if (digits.beyond) return fault(at, 'gauge below zero');
    values[i] = digits.value;
    at = end + 1;
  }
  return null;
};
