/**
 * The system calls of the readers, as in C: they return a result, or a negative errno. Node throws a new `Error`
 * for each failing call; it is caught here, because an absent file is a fact, not an exception.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { constants as os } from 'node:os';
import { errnoNumberOf } from '../realm/index.js';

export const Errno = {
  ENOENT: -os.errno.ENOENT,
  ESRCH: -os.errno.ESRCH,
  EINVAL: -os.errno.EINVAL,
  EXDEV: -os.errno.EXDEV,
  EINTR: -os.errno.EINTR,
  ENODEV: -os.errno.ENODEV,
  ENXIO: -os.errno.ENXIO,
  ENOTDIR: -os.errno.ENOTDIR,
  ELOOP: -os.errno.ELOOP,
  EOPNOTSUPP: -os.errno.EOPNOTSUPP,
  EMFILE: -os.errno.EMFILE,
  ENFILE: -os.errno.ENFILE,
  ENOMEM: -os.errno.ENOMEM,
} as const;

// Node has no constant O_PATH; it has this value on every architecture that Node runs on.
const O_PATH = 0o10000000;

// libuv adds O_CLOEXEC. O_NONBLOCK: a FIFO in a fixture tree must not hang the reader.
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const DIRECTORY_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_DIRECTORY;

/** The path by which `name` is opened relative to a directory's descriptor (Node has no `openat`). */
export function beneath(dirfd: number, name: string): string {
  return `/proc/self/fd/${dirfd}/${name}`;
}

export function openFile(path: string): number {
  return open(path, READ_FLAGS);
}

export function openDirectory(path: string): number {
  return open(path, DIRECTORY_FLAGS);
}

/** Opens a directory only to resolve paths beneath it, which requires no read permission on it. */
export function openDirectoryPath(path: string): number {
  return open(path, DIRECTORY_FLAGS | O_PATH);
}

function open(path: string, flags: number): number {
  for (;;) {
    try {
      return openSync(path, flags);
    } catch (error) {
      const errno = negativeErrno(error);
      if (errno !== Errno.EINTR) return errno;
    }
  }
}

/** `pread`: returns the number of bytes, 0 at the end. */
export function readAt(
  fd: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
): number {
  for (;;) {
    try {
      return readSync(fd, bytes, offset, length, position);
    } catch (error) {
      const errno = negativeErrno(error);
      // libuv retries an interrupted call, but not a read.
      if (errno !== Errno.EINTR) return errno;
    }
  }
}

export function close(fd: number): void {
  try {
    closeSync(fd);
  } catch (error) {
    negativeErrno(error);
  }
}

export function lstat(path: string): BigIntStats | number {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    return negativeErrno(error);
  }
}

export function stat(path: string): BigIntStats | number {
  try {
    return statSync(path, { bigint: true });
  } catch (error) {
    return negativeErrno(error);
  }
}

export function fstat(fd: number): BigIntStats | number {
  try {
    return fstatSync(fd, { bigint: true });
  } catch (error) {
    return negativeErrno(error);
  }
}

/** Whether two stats are of the same file. They must be exact (`bigint: true`): inode numbers go beyond 2^53. */
export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}

export type FileIdentity = Pick<BigIntStats, 'dev' | 'ino'>;

/** Returns false only if the kernel reports that there is no such name; that creates no exception. */
export function mayExist(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    negativeErrno(error);
    return true;
  }
}

/** The magic number of the file system at a path; needs no descriptor. */
export function fileSystemMagicAt(path: string): number {
  try {
    return statfsSync(path).type;
  } catch (error) {
    return negativeErrno(error);
  }
}

/** The magic number of the file system that an opened descriptor lies on. */
export function fileSystemMagic(fd: number): number {
  return fileSystemMagicAt(`/proc/self/fd/${fd}`);
}

export function listDirectory(path: string): Dirent[] | number {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    return negativeErrno(error);
  }
}

/** Whether a process or a zombie has the pid, even if we may not signal it. */
export function processExists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return negativeErrno(error) !== Errno.ESRCH;
  }
}

/** Returns the negative errno of what `node:fs` threw. Rethrows anything else, which is a defect of the caller. */
export function negativeErrno(error: unknown): number {
  const errno = errnoNumberOf(error);
  if (errno === null) throw error;
  return errno;
}

/** The target of a symlink; null if it cannot be read. */
export function readLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
