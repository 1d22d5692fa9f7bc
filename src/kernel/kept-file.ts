/** One kernel file, opened once and read at offset 0 into one shared buffer. */
import { readFileSync } from 'node:fs';
import { threadMap } from '../realm/thread-map.js';
import { MAX_TELEMETRY_FILE_SIZE } from '../schema/bounds.js';
import { beneath, close, Errno, mayExist, openFile, readAt } from './syscall.js';

export const ReadStatus = {
  OK: 0,
  /** ENOENT at the open. */
  ABSENT: 1,
  /** ENODEV (cgroup file) or ESRCH (`/proc` file) at the read. */
  DEAD: 2,
  /** More than 64 KiB (INV-TL05). */
  TOO_LARGE: 3,
  /** Any other errno. */
  ERROR: 4,
} as const;
export type ReadStatusValue = (typeof ReadStatus)[keyof typeof ReadStatus];

/** Holds a file's text, which must be parsed before the next read. */
class ReadBuffer {
  readonly bytes = new Uint8Array(MAX_TELEMETRY_FILE_SIZE);
  /** Length of the last text in bytes; the bytes behind it belong to earlier texts. */
  size = 0;
  /** The negative errno of the last read whose status has one, else 0. */
  errno = 0;
}

/** The one buffer of this thread: every worker has its own instance of this module. */
export const readBuffer = new ReadBuffer();

const probe = new Uint8Array(1);

const KEPT = 'kept';

/** Counts kept descriptors of this thread against half of the process's soft limit. */
export class DescriptorBudget {
  readonly #limit: () => number;
  readonly #counts: Map<string, number>;
  #most: number | undefined;

  /** `softLimit` is called once, at the first use. `counts` may be shared with other budgets. */
  constructor(softLimit: () => number, counts = new Map<string, number>()) {
    this.#limit = softLimit;
    this.#counts = counts;
  }

  get kept(): number {
    return this.#counts.get(KEPT) ?? 0;
  }

  /** Returns true and counts the descriptor if one more may be kept. */
  take(): boolean {
    this.#most ??= Math.floor(this.#limit() / 2);
    if (this.kept >= this.#most) return false;
    this.takeAlways();
    return true;
  }

  /** Counts a descriptor that is needed regardless of the budget. */
  takeAlways(): void {
    this.#counts.set(KEPT, this.kept + 1);
  }

  giveBack(): void {
    this.#counts.set(KEPT, this.kept - 1);
  }
}

/** The usual default of Linux, used if `/proc` cannot be read. */
const USUAL_SOFT_LIMIT = 1024;

function softLimitOfFiles(): number {
  try {
    const line = /^Max open files\s+(\d+|unlimited)/m.exec(
      readFileSync('/proc/self/limits', 'latin1'),
    );
    if (line?.[1] === 'unlimited') return Number.POSITIVE_INFINITY;
    return line === null ? USUAL_SOFT_LIMIT : Number(line[1]);
  } catch {
    return USUAL_SOFT_LIMIT;
  }
}

/** Shared by the thread: other evaluations of the package in it count their descriptors here too. */
export const descriptorBudget = new DescriptorBudget(
  softLimitOfFiles,
  threadMap('kept-descriptors'),
);

/**
 * The file keeps its descriptor while the budget allows; beyond it, each read opens the file. A file that is not
 * the kernel's (a fixture, a recorded tree) is opened for each read, because a kept descriptor would still read
 * a file that was deleted or replaced.
 */
export class KeptFile {
  readonly name: string;
  isKernels: boolean;
  #fd = -1;
  #wasAbsent = false;

  constructor(name: string, isKernels = true) {
    this.name = name;
    this.isKernels = isKernels;
  }

  get isKept(): boolean {
    return this.#fd >= 0;
  }

  /**
   * Reads the whole file into `readBuffer`, relative to `dirfd`; never follows a symlink. After DEAD the
   * descriptor is closed, so that the next read opens anew.
   */
  read(dirfd: number): ReadStatusValue {
    readBuffer.size = 0;
    readBuffer.errno = 0;
    if (this.#fd >= 0) {
      const status = readWhole(this.#fd);
      if (status === ReadStatus.DEAD) this.close();
      return status;
    }
    const path = beneath(dirfd, this.name);
    // An absent file is tried at every read, and the exception of a failed open would cost more than this.
    if (this.#wasAbsent && !mayExist(path)) return absent();
    const fd = openFile(path);
    this.#wasAbsent = fd === Errno.ENOENT;
    if (fd < 0) return openFailed(fd);
    const status = readWhole(fd);
    const keep = this.isKernels && status !== ReadStatus.DEAD && descriptorBudget.take();
    if (keep) this.#fd = fd;
    else close(fd);
    return status;
  }

  close(): void {
    if (this.#fd < 0) return;
    close(this.#fd);
    this.#fd = -1;
    descriptorBudget.giveBack();
  }
}

/** Reads a file that is not worth a kept descriptor into `readBuffer`. */
export function readOnce(path: string): ReadStatusValue {
  readBuffer.size = 0;
  readBuffer.errno = 0;
  const fd = openFile(path);
  if (fd < 0) return openFailed(fd);
  const status = readWhole(fd);
  close(fd);
  return status;
}

function openFailed(errno: number): ReadStatusValue {
  if (errno === Errno.ENOENT) return absent();
  readBuffer.errno = errno;
  return errno === Errno.ESRCH || errno === Errno.ENODEV ? ReadStatus.DEAD : ReadStatus.ERROR;
}

function absent(): ReadStatusValue {
  readBuffer.errno = Errno.ENOENT;
  return ReadStatus.ABSENT;
}

// Hot: no allocation. A short read is not the end: seq_file returns what fits its page.
function readWhole(fd: number): ReadStatusValue {
  const { bytes } = readBuffer;
  let size = 0;
  while (size < bytes.length) {
    const n = readAt(fd, bytes, size, bytes.length - size, size);
    if (n < 0) return readFailed(n);
    if (n === 0) break;
    size += n;
  }
  readBuffer.size = size;
  if (size < bytes.length) return ReadStatus.OK;
  const more = readAt(fd, probe, 0, 1, size);
  if (more < 0) return readFailed(more);
  return more === 0 ? ReadStatus.OK : ReadStatus.TOO_LARGE;
}

function readFailed(errno: number): ReadStatusValue {
  readBuffer.size = 0;
  readBuffer.errno = errno;
  return errno === Errno.ENODEV || errno === Errno.ESRCH ? ReadStatus.DEAD : ReadStatus.ERROR;
}
