/**
 * Directories held by descriptor; no path beneath them may leave them by a symlink, `..` or a mount. The addon uses
 * `openat2`; without it, every component is checked and compared with the opened directory.
 */

import { constants, openSync } from 'node:fs';
import type { NativeDirectories, NativeOpened } from '../addon/binding.js';
import { loadAddon } from '../addon/load.js';
import { errnoName } from '../error/errno-name.js';
import {
  beneath,
  close,
  Errno,
  fstat,
  isSameFile,
  lstat,
  negativeErrno,
  openDirectory,
} from './syscall.js';

/** Results are descriptors, or negative errnos. */
export interface Directories {
  /** Whether marks are supported here; a file system may still refuse them. */
  readonly canMark: boolean;
  /** Opens an absolute path that contains no symlink. */
  openRoot(path: string): number;
  /** Opens one component in an open directory. `EXDEV`: something else is mounted there. */
  openChild(dirfd: number, name: string): number;
  /** Writes the xattr `user.episcope.owner`. Returns null, or the errno. */
  setOwnerMark(fd: number, mark: string): string | null;
  /** Returns null if there is no mark or it cannot be read. */
  getOwnerMark(fd: number): string | null;
  /** Closes a descriptor that was opened here: a Node worker warns if it closes one that it did not open. */
  close(fd: number): void;
}

export function directories(): Directories {
  const { addon } = loadAddon();
  return addon === null ? plainDirectories : nativeDirectories(addon.directories);
}

function nativeDirectories(native: NativeDirectories): Directories {
  return {
    canMark: true,
    // A C string would end at a NUL, and name another directory.
    openRoot: (path) => (path.includes('\0') ? Errno.EINVAL : fdOrErrno(native.openRoot(path))),
    openChild: (dirfd, name) =>
      name.includes('\0') ? Errno.EINVAL : fdOrErrno(native.openChild(dirfd, name)),
    setOwnerMark: (fd, mark) => {
      const errno = native.setOwnerMark(fd, mark);
      return errno === null ? null : errnoName(errno);
    },
    getOwnerMark: (fd) => native.getOwnerMark(fd),
    close: (fd) => native.close(fd),
  };
}

/** Returns the descriptor or the negative errno, like the system calls of this folder. */
function fdOrErrno({ fd, errno }: NativeOpened): number {
  return errno === null ? fd : -errno;
}

/** @internal The directories without the addon: Node has no xattrs. */
export const plainDirectories: Directories = {
  canMark: false,
  openRoot(path) {
    if (!path.startsWith('/') || path.includes('\0')) return Errno.EINVAL;
    let fd = openDirectory('/');
    for (const name of path.split('/')) {
      if (name === '' || name === '.') continue;
      if (fd < 0) return fd;
      const next = openChecked(fd, name, false);
      close(fd);
      fd = next;
    }
    return fd;
  },
  openChild: (dirfd, name) => openChecked(dirfd, name, true),
  setOwnerMark: () => 'ENOTSUP',
  getOwnerMark: () => null,
  close,
};

function openChecked(dirfd: number, name: string, sameDevice: boolean): number {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) return Errno.EINVAL;
  const path = beneath(dirfd, name);
  const looked = lstat(path);
  if (typeof looked === 'number') return looked;
  if (looked.isSymbolicLink()) return Errno.ELOOP;
  if (!looked.isDirectory()) return Errno.ENOTDIR;
  const parent = fstat(dirfd);
  if (typeof parent === 'number') return parent;
  if (sameDevice && parent.dev !== looked.dev) return Errno.EXDEV;
  const fd = openDirectory(path);
  if (fd < 0) return fd;
  const opened = fstat(fd);
  // Another directory was swapped in between.
  if (typeof opened === 'number' || !isSameFile(opened, looked)) {
    close(fd);
    return Errno.ELOOP;
  }
  return fd;
}

/** Opens a file of the directory for writing. Returns the descriptor, or a negative errno. */
export function openForWriting(dirfd: number, file: string): number {
  const parent = fstat(dirfd);
  if (typeof parent === 'number') return parent;
  let fd: number;
  try {
    fd = openSync(beneath(dirfd, file), constants.O_WRONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    return negativeErrno(cause);
  }
  const opened = fstat(fd);
  if (typeof opened !== 'number' && opened.dev === parent.dev) return fd;
  close(fd);
  return Errno.EXDEV;
}
