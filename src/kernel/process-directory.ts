/**
 * One process's directory in procfs. What is opened beneath it belongs to that process for ever: once it is gone
 * every read says so (ESRCH, ENOENT), also when its pid number is used again.
 */

import { PROC_SUPER_MAGIC } from '../schema/bounds.js';
import { isShortage } from './errno.js';
import { descriptorBudget, KeptFile, ReadStatus, readBuffer, readOnce } from './kept-file.js';
import {
  beneath,
  close,
  Errno,
  fileSystemMagicAt,
  isSameFile,
  listDirectory,
  openDirectoryPath,
  processExists,
  readLink,
  stat,
} from './syscall.js';
import { parsePids } from './text/pids.js';

/** Where the directories of the processes are. */
export interface ProcRoot {
  readonly path: string;
  /** A procfs, and no fixture or recorded tree. */
  readonly isProcfs: boolean;
  /** As `hasSamePids` when it was opened. */
  readonly samePids: boolean;
}

export function procRootAt(path: string): ProcRoot {
  const isProcfs = fileSystemMagicAt(`${path}/.`) === PROC_SUPER_MAGIC;
  return { path, isProcfs, samePids: hasSamePids({ path, isProcfs }) };
}

/**
 * Why no pid of it may be signalled, nor anything believed that it says of one at `/proc`: `ENOENT`, it is no procfs;
 * `ENXIO`, it is that of another pid namespace, in which every number is a stranger's; any other, it could not be found
 * out for want of a descriptor. 0: it is our own.
 */
export function whyForeign(root: ProcRoot): number {
  if (!root.isProcfs) return Errno.ENOENT;
  if (hasSamePids(root)) return 0;
  return isShortage(readBuffer.errno) ? readBuffer.errno : Errno.ENXIO;
}

/** It is what is mounted at `/proc`, however its path is spelled. */
export function isSlashProc({ path }: ProcRoot): boolean {
  const [named, usual] = [stat(`${path}/.`), stat('/proc/.')];
  if (typeof named === 'number' || typeof usual === 'number') return path === '/proc';
  return isSameFile(named, usual);
}

/**
 * Its pid numbers are the caller's own: system calls that take a pid may be asked too. `self` alone does not prove it:
 * a procfs of an outer pid namespace may happen to have the caller under the very number that it has in its own.
 */
export function hasSamePids({ path, isProcfs }: Pick<ProcRoot, 'path' | 'isProcfs'>): boolean {
  readBuffer.errno = 0;
  if (!isProcfs || readLink(`${path}/self`) !== String(process.pid)) return false;
  if (readOnce(`${path}/self/status`) !== ReadStatus.OK) return false;
  const text = Buffer.from(readBuffer.bytes.buffer, 0, readBuffer.size).toString('latin1');
  // One number for each pid namespace, from that of the procfs inwards. A kernel without namespaces has no such line.
  const numbers = /^NSpid:\s*(.*)$/m.exec(text)?.[1];
  return numbers === undefined || !/\s/.test(numbers.trim());
}

export class ProcessDirectory {
  readonly stat: KeptFile;
  readonly statm: KeptFile;
  readonly io: KeptFile;
  readonly #path: string;
  readonly #isProcfs: boolean;
  readonly #pid: number;
  readonly #samePids: boolean;
  #fd = -1;
  #isKept = false;

  constructor({ path, isProcfs, samePids }: ProcRoot, pid: number) {
    this.#path = `${path}/${pid}`;
    this.#pid = pid;
    this.#samePids = samePids;
    this.#isProcfs = isProcfs;
    this.stat = new KeptFile('stat', isProcfs);
    this.statm = new KeptFile('statm', isProcfs);
    this.io = new KeptFile('io', isProcfs);
  }

  /** Between `enter` and `leave`: the directory's descriptor. */
  get fd(): number {
    return this.#fd;
  }

  /**
   * Opens the directory unless it is. Returns 0 or a negative errno. Beyond the descriptor budget, and of a
   * fixture, it is opened for each sample anew, and may be another process's: the caller compares the starttime.
   */
  enter(): number {
    if (this.#fd >= 0) return 0;
    const fd = openDirectoryPath(this.#path);
    if (fd < 0) return fd;
    this.#fd = fd;
    this.#isKept = this.#isProcfs && descriptorBudget.take();
    return 0;
  }

  leave(): void {
    if (this.#fd < 0 || this.#isKept) return;
    close(this.#fd);
    this.#fd = -1;
  }

  close(): void {
    this.stat.close();
    this.statm.close();
    this.io.close();
    if (this.#isKept) descriptorBudget.giveBack();
    this.#isKept = false;
    this.leave();
  }

  /** `/proc/<tid>` opens for any thread; only `status` tells which process the thread belongs to. */
  threadGroup(): number | null {
    const tgid = statusNumber(this.#fd, 'Tgid');
    return tgid === null ? null : Number(tgid);
  }

  /**
   * Nothing is there by its number (`errno` of the attempt), and the number is a process's: a procfs that was mounted
   * with `hidepid` hides the processes of others.
   */
  isHidden(errno: number): boolean {
    return errno === Errno.ENOENT && this.#samePids && processExists(this.#pid);
  }

  /**
   * Appends the children of every thread (`task/<tid>/children`): a child belongs to the thread that forked it.
   * False when a list was there and could not be read whole.
   */
  children(pids: number[]): boolean {
    const tasks = listDirectory(beneath(this.#fd, 'task'));
    if (typeof tasks === 'number') return isNoSuchThing(tasks) && !this.isHidden(tasks);
    let whole = true;
    for (const { name } of tasks) {
      const status = readOnce(beneath(this.#fd, `task/${name}/children`));
      if (status === ReadStatus.OK || status === ReadStatus.TOO_LARGE) {
        const complete = parsePids(readBuffer.bytes, listedBytes(status), pids);
        if (!complete || status !== ReadStatus.OK) whole = false;
      } else if (!isNoSuchThing(readBuffer.errno)) {
        whole = false;
      }
    }
    return whole;
  }
}

/** A number from a line of `/proc/<pid>/status`, relative to the process's directory; null where it cannot be read. */
export function statusNumber(dirfd: number, key: string): bigint | null {
  if (readOnce(beneath(dirfd, 'status')) !== ReadStatus.OK) return null;
  const text = Buffer.from(readBuffer.bytes.buffer, 0, readBuffer.size).toString('latin1');
  const line = new RegExp(`^${key}:\\s+(\\d+)(?: kB)?$`, 'm').exec(text);
  return line === null ? null : BigInt(line[1]!);
}

/** A thread that just ended, a kernel without `children`, a fixture without threads. */
function isNoSuchThing(errno: number): boolean {
  return errno === Errno.ENOENT || errno === Errno.ESRCH;
}

/** Of a list that was cut, without its last number: that may be cut too. */
function listedBytes(status: number): number {
  const { bytes, size } = readBuffer;
  return status === ReadStatus.OK ? size : bytes.lastIndexOf(0x20) + 1;
}
