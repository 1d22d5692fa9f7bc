/** Who made a scope: the mark that tells a dead owner's leftovers from everything else. */

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
  /** Ticks since boot, as in `/proc/<pid>/stat`; '0' where that could not be read. */
  readonly startTicks: string;
  /** The boot id, or its first characters; '' where it could not be read. For people: see `ownerIsDead`. */
  readonly bootId: string;
  /** Inode of the pid namespace in which `pid` is meant; null where it is not known. */
  readonly pidNamespace: string | null;
  /** Inode of the time namespace in which `startTicks` was read; null where it is not known, as in older marks. */
  readonly timeNamespace: string | null;
}

const UNKNOWN_START = '0';
/** A pid namespace that is not known: no namespace has this inode. */
const UNKNOWN_NAMESPACE = '0';

/** This process. */
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
 * The owner that a mark names. null for any other text: that of a later release too, whose further fields may say what
 * its numbers mean.
 */
export function parseOwner(text: string): Owner | null {
  const [, pid, startTicks, boot, pidNs, timeNs] = MARK.exec(text) ?? [];
  if (!pid || !startTicks || boot === undefined || !pidNs) return null;
  return ownerOf({ pid, startTicks, boot, pidNs, timeNs });
}

/** From the texts of a mark; without `timeNs` one of a release that did not write it. */
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
 * Whether the owner is certainly dead: nobody has its pid, or another process has it by now. What cannot be compared
 * from here counts as alive: a pid of another pid namespace, or where `/proc` does not tell ours; a starttime that was
 * read in another time namespace, or in one that the mark does not tell.
 *
 * A namespace's inode is used again only after the namespace has gone, and its processes with it, so equal inodes never
 * make a living owner dead. The boot id says nothing: no cgroup outlives its boot, so another id than ours is one that
 * a container was shown in its place.
 */
export function ownerIsDead(owner: Owner, here: Owner = currentOwner()): boolean {
  if (owner.pidNamespace === null || owner.pidNamespace !== here.pidNamespace) return false;
  if (owner.startTicks === UNKNOWN_START) return false;
  // A procfs mounted with hidepid shows no strangers; a signal 0 still tells them from the dead.
  if (!processExists(owner.pid)) return true;
  if (whyForeignProc() !== null) return false;
  const stat = readProcessStat(owner.pid);
  if (stat === null) return false;
  if (hasExited(stat)) return true;
  const isComparable = owner.timeNamespace !== null && owner.timeNamespace === here.timeNamespace;
  return isComparable && stat.startTicks !== owner.startTicks;
}
