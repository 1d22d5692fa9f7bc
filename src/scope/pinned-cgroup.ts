/** A cgroup directory held by its descriptor: operations apply to it even if another cgroup has its name by now. */
import { mkdirSync, readdirSync } from 'node:fs';
import { errnoName } from '../error/errno-name.js';
import { CgroupError } from '../error/index.js';
import { cgroupActions } from '../kernel/cgroup-actions.js';
import {
  type CgroupEvents,
  readCgroupEvents,
  readValues,
  readWords,
} from '../kernel/cgroup-files.js';
import { type Directories, directories, openForWriting } from '../kernel/directories.js';
import { throwShortage } from '../kernel/errno.js';
import { Errno, fileSystemMagic, fstat } from '../kernel/syscall.js';
import type { TextParser } from '../kernel/text/fault.js';
import { CGROUP2_SUPER_MAGIC } from '../schema/bounds.js';

export class PinnedCgroup {
  /** The path by which it was opened; only for messages, never used to access it. */
  readonly path: string;
  /** Device and inode: another cgroup of the same name has a different identity. */
  readonly identity: string;
  readonly #fd: number;
  readonly #directories: Directories;

  private constructor(path: string, fd: number, directories: Directories) {
    this.path = path;
    this.#fd = fd;
    this.#directories = directories;
    const stats = fstat(fd);
    this.identity = typeof stats === 'number' ? '' : `${stats.dev}:${stats.ino}`;
  }

  /**
   * Opens the directory at an absolute path. Throws `CgroupError`: `ERR_CGROUP_NOT_FOUND`, `ERR_CGROUP_PATH` (a
   * symlink, a file), `ERR_NOT_CGROUP2`, `ERR_CGROUP_READ`.
   */
  static open(path: string, directories: Directories): PinnedCgroup {
    return PinnedCgroup.#pin(
      path === '' ? '/' : path,
      directories.openRoot(path || '/'),
      directories,
    );
  }

  static #pin(path: string, fd: number, directories: Directories): PinnedCgroup {
    if (fd < 0) throw openError(path, fd);
    const magic = fileSystemMagic(fd);
    if (magic === CGROUP2_SUPER_MAGIC) return new PinnedCgroup(path, fd, directories);
    directories.close(fd);
    // The check goes through /proc: if that is missing, the type is unknown.
    if (magic < 0) throw readError(path, magic);
    throw new CgroupError('ERR_NOT_CGROUP2', `${path} is not on a cgroup2 file system`, {
      file: path,
    });
  }

  /** Opens the same cgroup by another descriptor, which must be closed too. Throws as `open`. */
  again(): PinnedCgroup {
    return PinnedCgroup.open(this.path, this.#directories);
  }

  /** A path that leads here as long as this is open; its children lie beneath it. */
  get via(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  /** Opens a child, which must be closed too. Throws as `open`; `ERR_NOT_CGROUP2` if something is mounted over it. */
  child(name: string): PinnedCgroup {
    const fd = this.#directories.openChild(this.#fd, name);
    return PinnedCgroup.#pin(`${this.path}/${name}`, fd, this.#directories);
  }

  /** As `child`, but returns null if there is none. */
  childIfAny(name: string): PinnedCgroup | null {
    try {
      return this.child(name);
    } catch (cause) {
      if (cause instanceof CgroupError && cause.code === 'ERR_CGROUP_NOT_FOUND') return null;
      throw cause;
    }
  }

  /** mkdir. Throws what Node throws, with the readable path. */
  make(name: string): void {
    try {
      mkdirSync(`${this.via}/${name}`);
    } catch (cause) {
      throw withPath(cause, `${this.path}/${name}`);
    }
  }

  /** rmdir of a child. Returns null, or the errno. */
  remove(name: string): Promise<string | null> {
    return cgroupActions().remove(`${this.via}/${name}`);
  }

  /** Names of the children. Throws what Node throws, with the readable path, and `ERR_CGROUP_READ` on a shortage. */
  childNames(): string[] {
    try {
      return readdirSync(`${this.via}/`, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name);
    } catch (cause) {
      throwShortage(cause, this.path);
      throw withPath(cause, this.path);
    }
  }

  /** Writes a control file in one write, off the event loop. Returns null, or the errno. */
  write(file: string, text: string): Promise<string | null> {
    return cgroupActions().write(this.via, file, text);
  }

  /** Opens a control file for a child process to write to. Returns its descriptor, or a negative errno. */
  openForWriting(file: string): number {
    return openForWriting(this.#fd, file);
  }

  /** Returns null if there is no such file. Like the other reads, throws `ERR_CGROUP_READ` if no descriptor is left. */
  words(file: string): string[] | null {
    return readWords(`${this.via}/${file}`, `${this.path}/${file}`);
  }

  values(file: string, parse: TextParser): readonly (bigint | null)[] | null {
    return readValues(`${this.via}/${file}`, parse, `${this.path}/${file}`);
  }

  /** Returns null once the cgroup is removed. */
  events(): CgroupEvents | null {
    return readCgroupEvents(this.via, this.path);
  }

  pids(): number[] {
    return (this.words('cgroup.procs') ?? []).map(Number);
  }

  /** Whether marks can be xattrs here. */
  get canMark(): boolean {
    return this.#directories.canMark;
  }

  /** Returns null, or the errno. */
  setOwnerMark(mark: string): string | null {
    return this.#directories.setOwnerMark(this.#fd, mark);
  }

  ownerMark(): string | null {
    return this.#directories.getOwnerMark(this.#fd);
  }

  close(): void {
    this.#directories.close(this.#fd);
  }
}

/** Replaces Node's path, which is that of the descriptor and means nothing to a reader of the error. */
function withPath(cause: unknown, path: string): unknown {
  return typeof cause === 'object' && cause !== null ? Object.assign(cause, { path }) : cause;
}

/** Opens the cgroup at `path` if it has that identity; returns null once that cgroup is gone. */
export function openIfThere(path: string, identity: string): PinnedCgroup | null {
  let cgroup: PinnedCgroup;
  try {
    cgroup = PinnedCgroup.open(path, directories());
  } catch (cause) {
    if (cause instanceof CgroupError && cause.code === 'ERR_CGROUP_NOT_FOUND') return null;
    throw cause;
  }
  if (cgroup.identity === identity) return cgroup;
  cgroup.close();
  return null;
}

/** Uses a cgroup and closes it. */
export async function using<T>(
  cgroup: PinnedCgroup,
  use: (cgroup: PinnedCgroup) => T | Promise<T>,
): Promise<T> {
  try {
    return await use(cgroup);
  } finally {
    cgroup.close();
  }
}

function readError(path: string, errno: number): CgroupError {
  const name = errnoName(errno);
  const message = `cannot read which file system ${path} is on (${name})`;
  return new CgroupError('ERR_CGROUP_READ', message, { errno: name, file: path });
}

function openError(path: string, errno: number): CgroupError {
  const name = errnoName(errno);
  const detail = { errno: name, file: path };
  switch (errno) {
    case Errno.ENOENT:
      return new CgroupError('ERR_CGROUP_NOT_FOUND', `there is no cgroup at ${path}`, detail);
    case Errno.EXDEV:
      return new CgroupError('ERR_NOT_CGROUP2', `something else is mounted at ${path}`, detail);
    case Errno.ELOOP:
    case Errno.ENOTDIR:
    case Errno.EINVAL:
      return new CgroupError(
        'ERR_CGROUP_PATH',
        `${path} is not a plain path to a cgroup directory (${name}): no symlink, no "..", no file`,
        detail,
      );
    default:
      return new CgroupError('ERR_CGROUP_READ', `cannot open ${path} (${name})`, detail);
  }
}

/** The error of a refused write. */
export function writeError(
  cgroup: PinnedCgroup,
  file: string,
  text: string,
  errno: string,
): CgroupError {
  const path = `${cgroup.path}/${file}`;
  return new CgroupError('ERR_CGROUP_WRITE', `cannot write ${text} to ${path} (${errno})`, {
    errno,
    file: path,
  });
}
