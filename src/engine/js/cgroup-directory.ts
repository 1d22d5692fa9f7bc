/** Opens the directory of a cgroup without following symlinks, and checks whether it still exists. */
import type { BigIntStats } from 'node:fs';
import { descriptorBudget } from '../../kernel/kept-file.js';
import {
  beneath,
  close,
  Errno,
  fileSystemMagic,
  fstat,
  isSameFile,
  lstat,
  mayExist,
  openDirectory,
} from '../../kernel/syscall.js';
import { CGROUP2_SUPER_MAGIC, MAX_CGROUP_PATH_LEN } from '../../schema/bounds.js';
import type { CgroupSpec, ReadFailure } from '../engine.js';
import { failure } from './read-failure.js';

export class CgroupDirectory {
  /** Counts as a kept descriptor even beyond the limit, because nothing can be read without it. */
  readonly fd: number;
  /** The directory is on a cgroup2 file system, not a fixture or a recorded tree. */
  readonly isCgroupfs: boolean;

  constructor(fd: number, isCgroupfs: boolean) {
    this.fd = fd;
    this.isCgroupfs = isCgroupfs;
    descriptorBudget.takeAlways();
  }

  /** Whether the directory was removed. If it was not, a file is absent because its controller is disabled. */
  isGone(): boolean {
    // kernfs keeps the link count of a removed directory, but lookups in it fail.
    if (this.isCgroupfs) return !mayExist(beneath(this.fd, 'cgroup.controllers'));
    const stats = fstat(this.fd);
    return typeof stats !== 'number' && stats.nlink === 0n;
  }

  close(): void {
    close(this.fd);
    descriptorBudget.giveBack();
  }
}

/**
 * Opens `spec.root` and `spec.path` beneath it. Every component is checked by `lstat`, and the opened directory is
 * compared with the checked one, so that a replacement in between is detected.
 *
 * Returns `ERR_CGROUP_PATH` (the root is not absolute, or the path has more than 4096 bytes, a NUL, a `..`, a symlink
 * or a file), `ERR_CGROUP_NOT_FOUND`, `ERR_NOT_CGROUP2` (the root or a component is on another file system), or
 * `ERR_CGROUP_READ`.
 */
export function openCgroupDirectory(spec: CgroupSpec): CgroupDirectory | ReadFailure {
  const { root, path } = spec;
  if (!root.startsWith('/') || !isPlain(root) || !isPlain(path)) return failed('ERR_CGROUP_PATH');

  const rootfd = openChecked(root);
  if (typeof rootfd !== 'number') return rootfd;
  // Checked before the path: a path that is missing beneath a foreign root is not a missing cgroup.
  const rootMagic = fileSystemMagic(rootfd);
  close(rootfd);
  if (spec.requireCgroupfs && rootMagic !== CGROUP2_SUPER_MAGIC) return notCgroup2(rootMagic);

  const fd = openChecked(`${root}/${path}`);
  if (typeof fd !== 'number') return fd;
  const magic = fileSystemMagic(fd);
  const isCgroupfs = magic === CGROUP2_SUPER_MAGIC;
  if (spec.requireCgroupfs && !isCgroupfs) {
    close(fd);
    return notCgroup2(magic);
  }
  return new CgroupDirectory(fd, isCgroupfs);
}

/** Opens an absolute path that contains no symlink. */
function openChecked(path: string): number | ReadFailure {
  let whole = '';
  let checked = lstat('/');
  for (const component of path.split('/')) {
    if (component === '' || component === '.') continue;
    whole += `/${component}`;
    checked = lstat(whole);
    const refused = refuse(checked);
    if (refused !== null) return refused;
  }
  if (typeof checked === 'number') return fromErrno(checked);

  const fd = openDirectory(whole === '' ? '/' : whole);
  if (fd < 0) return fromErrno(fd);
  const opened = fstat(fd);
  if (typeof opened === 'number' || !isSameFile(opened, checked)) {
    close(fd);
    return failed('ERR_CGROUP_PATH');
  }
  return fd;
}

/** The magic number is read through `/proc`; without `/proc` the file system is unknown. */
function notCgroup2(magic: number): ReadFailure {
  return magic < 0 ? failed('ERR_CGROUP_READ', magic) : failed('ERR_NOT_CGROUP2');
}

function isPlain(path: string): boolean {
  return (
    Buffer.byteLength(path) <= MAX_CGROUP_PATH_LEN &&
    !path.includes('\0') &&
    !path.split('/').includes('..')
  );
}

function refuse(stats: BigIntStats | number): ReadFailure | null {
  if (typeof stats === 'number') return fromErrno(stats);
  if (stats.isSymbolicLink()) return fromErrno(Errno.ELOOP);
  if (!stats.isDirectory()) return fromErrno(Errno.ENOTDIR);
  return null;
}

function fromErrno(errno: number): ReadFailure {
  if (errno === Errno.ELOOP || errno === Errno.ENOTDIR) return failed('ERR_CGROUP_PATH', errno);
  if (errno === Errno.ENOENT) return failed('ERR_CGROUP_NOT_FOUND', errno);
  return failed('ERR_CGROUP_READ', errno);
}

function failed(code: ReadFailure['code'], errno = 0): ReadFailure {
  return failure(code, '', errno);
}
