/** What tells a process from a later one with the same pid: starttime, boot, pid namespace. */
import { readFileSync, readlinkSync } from 'node:fs';

export interface ProcessStat {
  readonly state: string;
  readonly ppid: number;
  readonly processGroup: number;
  readonly session: number;
  /** Foreground process group of the controlling terminal, -1 without one. */
  readonly terminalGroup: number;
  /** Ticks since boot, as the kernel writes it. */
  readonly startTicks: string;
}

/** `/proc/<pid>/stat`, or null where there is no such process. */
export function readProcessStat(pid: number | 'self', procRoot = '/proc'): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`${procRoot}/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  return parseProcessStat(text);
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
  try {
    return readFileSync(`${procRoot}/sys/kernel/random/boot_id`, 'latin1').trim();
  } catch {
    return '';
  }
}

/** Inode of our pid namespace: a pid means something only inside one. '0' where the kernel does not tell. */
export function pidNamespace(procRoot = '/proc'): string {
  try {
    return /^pid:\[(\d+)\]$/.exec(readlinkSync(`${procRoot}/self/ns/pid`))?.[1] ?? '0';
  } catch {
    return '0';
  }
}
