/**
 * `/proc/<pid>/stat`: `pid (comm) state ppid …`. The kernel does not escape `comm`, which may contain spaces, newlines
 * and `)`, so the fields begin after the last `)`.
 */
import { digits } from './digits.js';
import { fault, find, lineEnd, type ParseFault, SPACE, type TextParser } from './fault.js';

/** The index of each value of `parseProcStat`. Times are in clock ticks. */
export const ProcStat = {
  /** The state's character code. */
  STATE: 0,
  PPID: 1,
  MINFLT: 2,
  CMINFLT: 3,
  MAJFLT: 4,
  CMAJFLT: 5,
  UTIME: 6,
  STIME: 7,
  CUTIME: 8,
  CSTIME: 9,
  NUM_THREADS: 10,
  STARTTIME: 11,
} as const;

const CLOSING_PARENTHESIS = 0x29;

/** Field numbers of proc(5). */
const STATE = 3;
/** The other fields are read as signed, because the kernel prints most of them so; a negative number is 0. */
const UNSIGNED: readonly number[] = [4, 22];

/** Makes a parser of these fields of `/proc/<pid>/stat`, in rising order; it ignores the others. */
export function procStatParser(fields: readonly number[]): TextParser {
  return (text, length, values) => parseFields(fields, text, length, values);
}

/** → the values of `ProcStat`. */
export const parseProcStat = procStatParser([3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 20, 22]);

// Hot: allocates nothing but the values.
function parseFields(
  fields: readonly number[],
  text: Uint8Array,
  length: number,
  values: (bigint | null)[],
): ParseFault | null {
  if (length === 0) return fault(0, 'empty file');
  let at = length - 1;
  while (at >= 0 && text[at] !== CLOSING_PARENTHESIS) at--;
  if (at < 0) return fault(length, 'missing field');
  const limit = lineEnd(text, at, length);

  // The parenthesis ends field 2.
  let field = 2;
  for (let i = 0; i < fields.length; i++) {
    const wanted = fields[i]!;
    while (field < wanted) {
      at = find(text, SPACE, at, limit) + 1;
      if (at >= limit) return fault(length, 'missing field');
      field++;
    }
    const end = find(text, SPACE, at, limit);
    if (wanted === STATE) {
      if (end - at !== 1) return fault(at, 'missing field');
      values[i] = BigInt(text[at]!);
    } else {
      const scanned = UNSIGNED.includes(wanted)
        ? digits.scan(text, at, end)
        : digits.scanSigned(text, at, end);
      if (!scanned) return fault(digits.end, 'malformed number');
      values[i] = digits.value;
    }
  }
  return null;
}
