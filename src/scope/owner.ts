/** Who made a scope: the mark that tells a dead owner's leftovers from everything else. */
import { bootId, pidNamespace, readProcessStat } from '../host/process-identity.js';

export interface Owner {
  readonly pid: number;
  /** Ticks since boot, as in `/proc/<pid>/stat`; '0' where that could not be read. */
  readonly startTicks: string;
  /** The boot id, or its first characters; '' where it could not be read. */
  readonly bootId: string;
  /** Inode of the pid namespace in which `pid` is meant. */
  readonly pidNamespace: string;
}

const UNKNOWN_START = '0';

/** This process. */
export function currentOwner(): Owner {
  return {
    pid: process.pid,
    startTicks: readProcessStat('self')?.startTicks ?? UNKNOWN_START,
    bootId: bootId(),
    pidNamespace: pidNamespace(),
  };
}

/** The text of the xattr. */
export function formatOwner(owner: Owner): string {
  return `pid=${owner.pid} starttime=${owner.startTicks} boot_id=${owner.bootId} pid_ns=${owner.pidNamespace}`;
}

const MARK = /^pid=(\d{1,10}) starttime=(\d{1,20}) boot_id=([0-9a-f-]{0,36}) pid_ns=(\d{1,20})$/;

/** The owner that a mark names; null for any other text. */
export function parseOwner(text: string): Owner | null {
  const [, pid, startTicks, boot, namespace] = MARK.exec(text) ?? [];
  if (!pid || !startTicks || boot === undefined || !namespace) return null;
  return { pid: Number(pid), startTicks, bootId: boot, pidNamespace: namespace };
}

/**
 * Whether the owner is certainly dead: its pid is not alive, or is another process's by now, or it lived
 * before this boot. An owner in another pid namespace, or of unknown start, cannot be judged from here, so it
 * counts as alive.
 */
export function ownerIsDead(owner: Owner, here: Owner = currentOwner()): boolean {
  if (owner.pidNamespace !== here.pidNamespace) return false;
  if (here.bootId !== '' && !here.bootId.startsWith(owner.bootId)) return true;
  if (owner.startTicks === UNKNOWN_START) return false;
  // A procfs mounted with hidepid shows no strangers; a signal 0 still tells them from the dead.
  if (!pidExists(owner.pid)) return true;
  const stat = readProcessStat(owner.pid);
  if (stat === null) return false;
  return stat.startTicks !== owner.startTicks || stat.state === 'Z' || stat.state === 'X';
}

function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return !(cause instanceof Error && 'code' in cause && cause.code === 'ESRCH');
  }
}
