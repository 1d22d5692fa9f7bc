/**
 * Directories held by descriptor, beneath which nothing leads elsewhere: no symlink, no `..`, nothing that is mounted
 * there. By the addon with `openat2`; without it every component is looked at, and the opened directory compared.
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
  /** Whether there are marks at all; a file system may refuse them still. */
  readonly canMark: boolean;
  /** An absolute path without any symlink. */
  openRoot(path: string): number;
  /** One component in an open directory. `EXDEV`: something else is mounted there. */
  openChild(dirfd: number, name: string): number;
  /** Writes the xattr `user.episcope.owner`. null, or the errno. */
  setOwnerMark(fd: number, mark: string): string | null;
  /** null where there is none, or it cannot be read. */
  getOwnerMark(fd: number): string | null;
  /** Of what was opened here: a worker of Node warns where it closes what it did not open. */
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

/** As the system calls of this folder return it. */
function fdOrErrno({ fd, errno }: NativeOpened): number {
  return errno === null ? fd : -errno;
}

/** @internal The directories where there is no addon: Node has no xattrs. */
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
  // Swapped in between.
  if (typeof opened === 'number' || !isSameFile(opened, looked)) {
    close(fd);
    return Errno.ELOOP;
  }
  return fd;
}

/** Opens a file of the directory for writing; the descriptor, or a negative errno. */
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
