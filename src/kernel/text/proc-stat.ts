/**
 * `/proc/<pid>/stat`: `pid (comm) state ppid …`. `comm` is raw and may hold spaces, newlines and `)`, so that the
 * fields begin after the last `)`.
 */
import { digits } from './digits.js';
import { fault, find, lineEnd, SPACE, type TextParser } from './fault.js';

/** Where each value of `parseProcStat` stands. Times are in clock ticks. */
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

/** The field's number in proc(5) for each value. */
const FIELDS = [3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 20, 22] as const;

const CLOSING_PARENTHESIS = 0x29;

/** → the values of `ProcStat`. The other fields are not looked at (some are negative). */
export const parseProcStat: TextParser = (text, length, values) => {
  if (length === 0) return fault(0, 'empty file');
  let at = length - 1;
  while (at >= 0 && text[at] !== CLOSING_PARENTHESIS) at--;
  if (at < 0) return fault(length, 'missing field');
  const limit = lineEnd(text, at, length);

  // Behind the parenthesis ends field 2.
  let field = 2;
  for (let i = 0; i < FIELDS.length; i++) {
    while (field < FIELDS[i]!) {
      at = find(text, SPACE, at, limit) + 1;
      if (at >= limit) return fault(length, 'missing field');
      field++;
    }
    const end = find(text, SPACE, at, limit);
    if (i === ProcStat.STATE) {
      if (end - at !== 1) return fault(at, 'missing field');
      values[i] = BigInt(text[at]!);
    } else {
      // cutime, cstime and num_threads are printed signed.
      const scanned =
        i === ProcStat.PPID || i === ProcStat.STARTTIME
          ? digits.scan(text, at, end)
          : digits.scanSigned(text, at, end);
      if (!scanned) return fault(digits.end, 'malformed number');
      values[i] = digits.value;
    }
  }
  return null;
};
