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

/** Where a file's text lands. A read is parsed before the next. */
class ReadBuffer {
  readonly bytes = new Uint8Array(MAX_TELEMETRY_FILE_SIZE);
  /** Bytes of the last text; those behind it are of earlier ones. */
  size = 0;
  /** The negative errno of the last status that has one, else 0. */
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

  /** `softLimit` is asked once, at the first use. `counts`: where others count too. */
  constructor(softLimit: () => number, counts = new Map<string, number>()) {
    this.#limit = softLimit;
    this.#counts = counts;
  }

  get kept(): number {
    return this.#counts.get(KEPT) ?? 0;
  }

  /** True and counted when one more descriptor may be kept. */
  take(): boolean {
    this.#most ??= Math.floor(this.#limit() / 2);
    if (this.kept >= this.#most) return false;
    this.takeAlways();
    return true;
  }

  /** Counts a descriptor that is needed whatever the budget says. */
  takeAlways(): void {
    this.#counts.set(KEPT, this.kept + 1);
  }

  giveBack(): void {
    this.#counts.set(KEPT, this.kept - 1);
  }
}

/** What Linux gives a process that asked for nothing; where `/proc` does not tell. */
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

/** The descriptors belong to the thread: other evaluations of the package in it count theirs here too. */
export const descriptorBudget = new DescriptorBudget(
  softLimitOfFiles,
  threadMap('kept-descriptors'),
);

/**
 * The file keeps its descriptor while the budget allows, and is opened for each read beyond it. A file that is not
 * the kernel's (a fixture, a recorded tree) is opened for each read, because a descriptor of it would go on reading
 * what was deleted or replaced.
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
    // An absent file is asked for at every read, and the exception of its open would cost more than this.
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

// Hot: no allocation. A short read is no end: seq_file hands out what fits its page.
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
