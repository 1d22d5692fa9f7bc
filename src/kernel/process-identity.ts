/** What identifies a process beyond its pid, which the kernel reuses: its starttime, the boot, and their namespaces. */
import { readFileSync, readlinkSync } from 'node:fs';
import { readBytes, readText } from './cgroup-files.js';
import { errnoOf } from './errno.js';
import { procStatParser } from './text/proc-stat.js';

export interface ProcessStat {
  readonly state: string;
  readonly ppid: number;
  readonly processGroup: number;
  readonly session: number;
  /** Foreground process group of the controlling terminal; 0 if there is none. */
  readonly terminalGroup: number;
  /** Threads that have not ended. */
  readonly numThreads: number;
  /** Ticks since boot, as the kernel writes it. */
  readonly startTicks: string;
}

/** Whether the process has exited. The state is also Z if only the first thread has ended while others still run. */
export function hasExited({ state, numThreads }: ProcessStat): boolean {
  return state === 'X' || (state === 'Z' && numThreads <= 1);
}

/** `/proc/<pid>/stat`, or null if there is no such process. */
export function readProcessStat(pid: number | 'self', procRoot = '/proc'): ProcessStat | null {
  const text = readBytes(`${procRoot}/${pid}/stat`);
  return text === null ? null : parseProcessStat(text);
}

const parseIdentity = procStatParser([3, 4, 5, 6, 8, 20, 22]);

/** Returns null if the text is not that of a `stat` file. */
export function parseProcessStat(text: Uint8Array): ProcessStat | null {
  const values: (bigint | null)[] = [];
  if (parseIdentity(text, text.length, values) !== null) return null;
  const [state, ppid, processGroup, session, terminalGroup, numThreads] = values.map(Number);
  return {
    state: String.fromCharCode(state!),
    ppid: ppid!,
    processGroup: processGroup!,
    session: session!,
    terminalGroup: terminalGroup!,
    numThreads: numThreads!,
    startTicks: String(values[6]),
  };
}

/** Whether this process has a handler for the signal. */
export function catchesSignal(signo: number, procRoot = '/proc'): boolean {
  try {
    const status = readFileSync(`${procRoot}/self/status`, 'latin1');
    const caught = BigInt(`0x${/^SigCgt:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
    return ((caught >> BigInt(signo - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

/** The id of this boot; '' if it cannot be read. */
export function bootId(procRoot = '/proc'): string {
  return readText(`${procRoot}/sys/kernel/random/boot_id`)?.trim() ?? '';
}

/** The inode of our pid namespace, which a pid is relative to; null if it cannot be read. */
export function pidNamespace(procRoot = '/proc'): string | null {
  try {
    return inodeOf(readlinkSync(`${procRoot}/self/ns/pid`));
  } catch {
    return null;
  }
}

/** What `timeNamespace` returns on a kernel without time namespaces: before 5.6, or built without. */
const NO_TIME_NAMESPACES = '0';

/**
 * The inode of our time namespace, whose boot time offset the kernel adds to `starttime` in `/proc/<pid>/stat`. null if
 * it cannot be read.
 */
export function timeNamespace(procRoot = '/proc'): string | null {
  try {
    return inodeOf(readlinkSync(`${procRoot}/self/ns/time`));
  } catch (cause) {
    const isAbsent = errnoOf(cause) === 'ENOENT' && pidNamespace(procRoot) !== null;
    return isAbsent ? NO_TIME_NAMESPACES : null;
  }
}

/** The inode in a link such as `pid:[4026531836]`. */
function inodeOf(link: string): string | null {
  return /^[a-z]+:\[(\d+)\]$/.exec(link)?.[1] ?? null;
}
