/** A file that is one number: `memory.current`, `memory.peak`, `pids.current`. */
import { digits } from './digits.js';
import { fault, NEWLINE, type TextParser } from './parse-fault.js';

/** → the number. */
export const parseNumber: TextParser = (text, length, values) => {
  if (length === 0) return fault(0, 'empty file');
  const whole = digits.scan(text, 0, length);
  const { end } = digits;
  values[0] = digits.value;
  if (whole) return null;
  if (end === 0 || text[end] !== NEWLINE) return fault(end, 'malformed number');
  return end + 1 === length ? null : fault(end + 1, 'trailing bytes');
};
