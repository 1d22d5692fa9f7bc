/** Lists of pids: `cgroup.procs` (one per line) and `/proc/<pid>/task/<tid>/children` (separated by spaces). */
import { digits } from './digits.js';
import { NEWLINE, SPACE } from './fault.js';

const MAX_PID = 0x7fffffff;

/**
 * Appends the pids of the text; a zero is a process of a pid namespace that is not below ours. Returns false at
 * anything but a pid, after appending the pids before it.
 */
export function parsePids(text: Uint8Array, length: number, pids: number[]): boolean {
  for (let at = 0; at < length; ) {
    const byte = text[at];
    if (byte === SPACE || byte === NEWLINE) {
      at++;
      continue;
    }
    digits.scan(text, at, length);
    const { end, value } = digits;
    const next = text[end];
    if (end === at || (end < length && next !== SPACE && next !== NEWLINE)) return false;
    if (value > MAX_PID) return false;
    pids.push(Number(value));
    at = end;
  }
  return true;
}
