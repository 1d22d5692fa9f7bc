/** A file that holds one gauge: `memory.current`, `memory.peak`, `pids.current`. */
import { digits } from './digits.js';
import { fault, lineEnd, type TextParser } from './fault.js';

/** → the number. */
export const parseNumber: TextParser = (text, length, values) => {
  if (length === 0) return fault(0, 'empty file');
  const end = lineEnd(text, 0, length);
  if (!digits.scanSigned(text, 0, end)) return fault(digits.end, 'malformed number');
  if (digits.beyond) return fault(0, 'gauge below zero');
  values[0] = digits.value;
  return end + 1 >= length ? null : fault(end + 1, 'trailing bytes');
};
