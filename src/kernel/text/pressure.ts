/** `*.pressure`: `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, and `full …` if the kernel reports it. */

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

const SOME = ascii('some ');
const FULL = ascii('full ');
const TOTAL = ascii('total=');

/** → some total ns, full total ns (null if the kernel has none). */
export const parsePressure: TextParser = (text, length, values) => {
  if (length === 0) return fault(0, 'empty file');
  values[0] = null;
  values[1] = null;
  for (let start = 0; start < length; ) {
    const end = lineEnd(text, start, length);
    const some = startsWith(text, SOME, start, end);
    if (some || startsWith(text, FULL, start, end)) {
      const refused = parseTotal(text, start + SOME.length, end);
      if (refused !== null) return refused;
      values[some ? 0 : 1] = saturatingMul(digits.value, 1000n);
    }
    start = end + 1;
  }
  return values[0] === null ? fault(length, 'missing key') : null;
};

/** Leaves the total in `digits`. */
function parseTotal(text: Uint8Array, start: number, end: number): ParseFault | null {
  for (let token = start; token < end; ) {
    const tokenEnd = find(text, SPACE, token, end);
    if (startsWith(text, TOTAL, token, tokenEnd)) {
      return digits.scan(text, token + TOTAL.length, tokenEnd)
        ? null
        : fault(digits.end, 'malformed number');
    }
    token = tokenEnd + 1;
  }
  return fault(end, 'missing value');
}
