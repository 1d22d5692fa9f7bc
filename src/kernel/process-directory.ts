/**
 * One process's directory in procfs. Files opened beneath it always belong to that process: once it is gone,
 * every read fails (ESRCH, ENOENT), even if its pid is reused.
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
  /** A procfs, not a fixture or recorded tree. */
  readonly isProcfs: boolean;
  /** The result of `hasSamePids` when it was opened. */
  readonly samePids: boolean;
}

export function procRootAt(path: string): ProcRoot {
  const isProcfs = fileSystemMagicAt(`${path}/.`) === PROC_SUPER_MAGIC;
  return { path, isProcfs, samePids: hasSamePids({ path, isProcfs }) };
}

/**
 * Why no pid of it may be signalled, and no data about one trusted if it is `/proc`: `ENOENT` if it is not a procfs;
 * `ENXIO` if it belongs to another pid namespace, in which every pid is a different process; any other errno if no
 * descriptor was left to check. Returns 0 if it is our own.
 */
export function whyForeign(root: ProcRoot): number {
  if (!root.isProcfs) return Errno.ENOENT;
  if (hasSamePids(root)) return 0;
  return isShortage(readBuffer.errno) ? readBuffer.errno : Errno.ENXIO;
}

/** Whether it is what is mounted at `/proc`, however its path is spelled. */
export function isSlashProc({ path }: ProcRoot): boolean {
  const [named, usual] = [stat(`${path}/.`), stat('/proc/.')];
  if (typeof named === 'number' || typeof usual === 'number') return path === '/proc';
  return isSameFile(named, usual);
}

/**
 * Whether its pids are those of the caller's namespace, so that system calls that take a pid can be used. `self` alone
 * does not prove it: in a procfs of an outer pid namespace, the caller may happen to have the same pid as in its own.
 */
export function hasSamePids({ path, isProcfs }: Pick<ProcRoot, 'path' | 'isProcfs'>): boolean {
  readBuffer.errno = 0;
  if (!isProcfs || readLink(`${path}/self`) !== String(process.pid)) return false;
  if (readOnce(`${path}/self/status`) !== ReadStatus.OK) return false;
  const text = Buffer.from(readBuffer.bytes.buffer, 0, readBuffer.size).toString('latin1');
  // One pid for each pid namespace, from that of the procfs inwards. A kernel without namespaces has no such line.
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

  /** The directory's descriptor, valid between `enter` and `leave`. */
  get fd(): number {
    return this.#fd;
  }

  /**
   * Opens the directory unless it is open. Returns 0 or a negative errno. Beyond the descriptor budget, and in a
   * fixture, each sample opens it anew, and it may belong to another process: the caller compares the starttime.
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

  /** `/proc/<tid>` opens for any thread; only `status` shows which process the thread belongs to. */
  threadGroup(): number | null {
    const tgid = statusNumber(this.#fd, 'Tgid');
    return tgid === null ? null : Number(tgid);
  }

  /**
   * Whether the open failed (`errno`) although a process has this pid: a procfs that was mounted with `hidepid` hides
   * other users' processes.
   */
  isHidden(errno: number): boolean {
    return errno === Errno.ENOENT && this.#samePids && processExists(this.#pid);
  }

  /**
   * Appends the children of every thread (`task/<tid>/children`): a child belongs to the thread that forked it.
   * Returns false if a list exists but could not be read completely.
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

/** A number from a line of `/proc/<pid>/status`, relative to the process's directory; null if it cannot be read. */
export function statusNumber(dirfd: number, key: string): bigint | null {
  if (readOnce(beneath(dirfd, 'status')) !== ReadStatus.OK) return null;
  const text = Buffer.from(readBuffer.bytes.buffer, 0, readBuffer.size).toString('latin1');
  const line = new RegExp(`^${key}:\\s+(\\d+)(?: kB)?$`, 'm').exec(text);
  return line === null ? null : BigInt(line[1]!);
}

/** Whether a thread has just ended, the kernel has no `children`, or a fixture has no threads. */
function isNoSuchThing(errno: number): boolean {
  return errno === Errno.ENOENT || errno === Errno.ESRCH;
}

/** The length of the list; a truncated list is shortened by its last number, which may be truncated too. */
function listedBytes(status: number): number {
  const { bytes, size } = readBuffer;
  return status === ReadStatus.OK ? size : bytes.lastIndexOf(0x20) + 1;
}
