/** What tells a process from a later one with the same pid: starttime, boot, pid namespace. */
import { readFileSync, readlinkSync } from 'node:fs';

export interface ProcessStat {
  readonly state: string;
  readonly ppid: number;
  readonly processGroup: number;
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
  const [state, ppid, processGroup, , , terminalGroup] = fields;
  const startTicks = fields[19];
  if (!state || !startTicks || !/^\d+$/.test(startTicks)) return null;
  return {
    state,
    ppid: Number(ppid),
    processGroup: Number(processGroup),
    terminalGroup: Number(terminalGroup),
    startTicks,
  };
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
