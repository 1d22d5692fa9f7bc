/** What tells a process from a later one with the same pid: starttime, boot, and the namespaces in which those are meant. */
import { readFileSync, readlinkSync } from 'node:fs';
import { readText } from './cgroup-files.js';
import { errnoOf } from './errno.js';

export interface ProcessStat {
  readonly state: string;
  readonly ppid: number;
  readonly processGroup: number;
  readonly session: number;
  /** Foreground process group of the controlling terminal, -1 without one. */
  readonly terminalGroup: number;
  /** Of those that have not ended. A first thread that ended before the others leaves the state Z to a living process. */
  readonly numThreads: number;
  /** Ticks since boot, as the kernel writes it. */
  readonly startTicks: string;
}

/** Whether the process has exited. Of a first thread that ended before others the state is Z too, and the process lives. */
export function hasExited({ state, numThreads }: ProcessStat): boolean {
  return state === 'X' || (state === 'Z' && numThreads <= 1);
}

/** `/proc/<pid>/stat`, or null where there is no such process. */
export function readProcessStat(pid: number | 'self', procRoot = '/proc'): ProcessStat | null {
  const text = readText(`${procRoot}/${pid}/stat`);
  return text === null ? null : parseProcessStat(text);
}

/** `comm` is raw and may hold spaces and `)`: the fields begin after the last one. */
export function parseProcessStat(text: string): ProcessStat | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, ppid, processGroup, session, , terminalGroup] = fields;
  const startTicks = fields[19];
  if (!state || !startTicks || !/^\d+$/.test(startTicks)) return null;
  return {
    state,
    ppid: Number(ppid),
    processGroup: Number(processGroup),
    session: Number(session),
    terminalGroup: Number(terminalGroup),
    numThreads: Number(fields[17]),
    startTicks,
  };
}

/** Whether this process has a handler for the signal already. */
export function catchesSignal(signo: number, procRoot = '/proc'): boolean {
  try {
    const status = readFileSync(`${procRoot}/self/status`, 'latin1');
    const caught = BigInt(`0x${/^SigCgt:\t([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
    return ((caught >> BigInt(signo - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

/** Changes at every boot; '' where the kernel does not tell. */
export function bootId(procRoot = '/proc'): string {
  return readText(`${procRoot}/sys/kernel/random/boot_id`)?.trim() ?? '';
}

/** Inode of our pid namespace: a pid means something only inside one. null where the kernel does not tell. */
export function pidNamespace(procRoot = '/proc'): string | null {
  try {
    return inodeOf(readlinkSync(`${procRoot}/self/ns/pid`));
  } catch {
    return null;
  }
}

/** What `timeNamespace` gives where the kernel has no time namespaces: before 5.6, or built without. */
const NO_TIME_NAMESPACES = '0';

/**
 * Inode of our time namespace: `starttime` in `/proc/<pid>/stat` is shifted by the boot time of the one that its reader
 * is in. null where the kernel does not tell.
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
