/** The creator of a scope: the mark that distinguishes a dead owner's leftovers from everything else. */

import {
  bootId,
  hasExited,
  pidNamespace,
  readProcessStat,
  timeNamespace,
} from '../kernel/process-identity.js';
import { whyForeignProc } from '../kernel/procfs.js';
import { processExists } from '../kernel/syscall.js';

export interface Owner {
  readonly pid: number;
  /** Ticks since boot, as in `/proc/<pid>/stat`; '0' if it could not be read. */
  readonly startTicks: string;
  /** The boot id, or its first characters; '' if it could not be read. Only informative: see `ownerIsDead`. */
  readonly bootId: string;
  /** Inode of the pid namespace that `pid` is relative to; null if unknown. */
  readonly pidNamespace: string | null;
  /** Inode of the time namespace in which `startTicks` was read; null if unknown, as in older marks. */
  readonly timeNamespace: string | null;
}

const UNKNOWN_START = '0';
/** Stands for an unknown pid namespace: no namespace has this inode. */
const UNKNOWN_NAMESPACE = '0';

/** This process as an owner. */
export function currentOwner(): Owner {
  return {
    pid: process.pid,
    startTicks: readProcessStat('self')?.startTicks ?? UNKNOWN_START,
    bootId: bootId(),
    pidNamespace: pidNamespace(),
    timeNamespace: timeNamespace(),
  };
}

/** The text of the xattr. */
export function formatOwner(owner: Owner): string {
  const { pid, startTicks, bootId: boot, pidNamespace: pidNs, timeNamespace: timeNs } = owner;
  const fields = [
    `pid=${pid}`,
    `starttime=${startTicks}`,
    `boot_id=${boot}`,
    `pid_ns=${pidNs ?? UNKNOWN_NAMESPACE}`,
  ];
  if (timeNs !== null) fields.push(`time_ns=${timeNs}`);
  return fields.join(' ');
}

const MARK =
  /^pid=(\d{1,10}) starttime=(\d{1,20}) boot_id=([0-9a-f-]{0,36}) pid_ns=(\d{1,20})(?: time_ns=(\d{1,20}))?$/;

/**
 * The owner that a mark names. Returns null for any other text, including a mark of a later release, whose further
 * fields may change the meaning of its numbers.
 */
export function parseOwner(text: string): Owner | null {
  const [, pid, startTicks, boot, pidNs, timeNs] = MARK.exec(text) ?? [];
  if (!pid || !startTicks || boot === undefined || !pidNs) return null;
  return ownerOf({ pid, startTicks, boot, pidNs, timeNs });
}

/** The owner from the texts of a mark; `timeNs` is undefined for a mark of a release that did not write it. */
export function ownerOf(texts: {
  readonly pid: string;
  readonly startTicks: string;
  readonly boot: string;
  readonly pidNs: string;
  readonly timeNs: string | undefined;
}): Owner {
  return {
    pid: Number(texts.pid),
    startTicks: texts.startTicks,
    bootId: texts.boot,
    pidNamespace: texts.pidNs === UNKNOWN_NAMESPACE ? null : texts.pidNs,
    timeNamespace: texts.timeNs || null,
  };
}

/**
 * Whether the owner is certainly dead: no process has its pid, or another process has it by now. An owner that cannot
 * be compared from here counts as alive: a pid of another pid namespace, or if `/proc` does not show ours; a starttime
 * that was read in another time namespace, or in one that the mark does not name.
 *
 * A namespace's inode is reused only after the namespace and its processes are gone, so equal inodes never make a
 * living owner seem dead. The boot id proves nothing: no cgroup outlives its boot, so a different id is one that a
 * container was shown instead.
 */
export function ownerIsDead(owner: Owner, here: Owner = currentOwner()): boolean {
  if (owner.pidNamespace === null || owner.pidNamespace !== here.pidNamespace) return false;
  if (owner.startTicks === UNKNOWN_START) return false;
  // A procfs mounted with hidepid hides other users' processes; a signal 0 still shows that they are alive.
  if (!processExists(owner.pid)) return true;
  if (whyForeignProc() !== null) return false;
  const stat = readProcessStat(owner.pid);
  if (stat === null) return false;
  if (hasExited(stat)) return true;
  const isComparable = owner.timeNamespace !== null && owner.timeNamespace === here.timeNamespace;
  return isComparable && stat.startTicks !== owner.startTicks;
}
