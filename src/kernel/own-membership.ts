/**
 * Whether a cgroup holds the calling process, here or below: a process that froze itself could not thaw itself, and one
 * that killed itself could report nothing. Uses the kernel's lists, which name this process whatever path, mount or
 * cgroup namespace led to the directory. The twin of `native/core/own_membership.cc`.
 */
import { readFileSync } from 'node:fs';
import { errnoName } from '../error/errno-name.js';
import { MAX_CGROUP_DEPTH } from '../schema/bounds.js';
import { hasSamePids, procRootAt } from './process-directory.js';
import {
  beneath,
  close,
  Errno,
  fstat,
  listDirectory,
  negativeErrno,
  openDirectory,
} from './syscall.js';
import { parsePids } from './text/pids.js';

/** What `whyNotStopped` returns for a cgroup that contains this process. */
export const HOLDS_US = 'EBUSY';

const FOUND = 1;

/**
 * Returns why this cgroup must not be frozen or killed: `EBUSY` if it contains this process, another errno if that
 * cannot be determined. Returns null if it does not contain it, or is gone.
 */
export function whyNotStopped(directory: string): string | null {
  const dirfd = openDirectory(`${directory}/.`);
  if (dirfd < 0) return isGone(dirfd) ? null : errnoName(dirfd);
  const errno = walk(dirfd, MAX_CGROUP_DEPTH);
  close(dirfd);
  if (errno === FOUND) return HOLDS_US;
  return errno === 0 ? null : errnoName(errno);
}

/** Returns 0, `FOUND`, or a negative errno if a cgroup that cannot be read may contain us and we are not elsewhere. */
function walk(dirfd: number, depth: number): number {
  const here = lookIn(dirfd);
  if (here === FOUND) return FOUND;
  const below = lookBelow(dirfd, depth);
  return below === 0 ? here : below;
}

function lookIn(dirfd: number): number {
  const listed = lists(beneath(dirfd, 'cgroup.procs'), (pid) => pid === process.pid);
  // In a threaded cgroup only threads are listed: some of ours may be in it.
  if (listed === Errno.EOPNOTSUPP) return lookForThreads(dirfd);
  return isGone(listed) ? 0 : listed;
}

function lookForThreads(dirfd: number): number {
  if (!hasSamePids(procRootAt('/proc'))) return Errno.ENXIO;
  const tasks = listDirectory('/proc/self/task');
  if (typeof tasks === 'number') return tasks;
  const own = new Set(tasks.map(({ name }) => Number(name)));
  const listed = lists(beneath(dirfd, 'cgroup.threads'), (tid) => own.has(tid));
  return isGone(listed) ? 0 : listed;
}

/** Reads a list of any size: a cgroup with very many processes must be killable too. */
function lists(file: string, isOurs: (id: number) => boolean): number {
  const ids: number[] = [];
  try {
    const text = readFileSync(file);
    parsePids(text, text.length, ids);
  } catch (error) {
    return negativeErrno(error);
  }
  return ids.some(isOurs) ? FOUND : 0;
}

function lookBelow(dirfd: number, depth: number): number {
  const stats = fstat(dirfd);
  if (typeof stats === 'number') return stats;
  // Its own entry and its `.`: no directory below, no need to list some sixty files.
  if (stats.nlink === 2n) return 0;
  const entries = listDirectory(beneath(dirfd, '.'));
  if (typeof entries === 'number') return isGone(entries) ? 0 : entries;
  let worst = 0;
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const found = depth === 0 ? Errno.ELOOP : lookInChild(dirfd, entry.name, depth);
    if (found === FOUND) return FOUND;
    if (found !== 0) worst = found;
  }
  return worst;
}

function lookInChild(dirfd: number, name: string, depth: number): number {
  const fd = openDirectory(beneath(dirfd, name));
  if (fd < 0) return isGone(fd) ? 0 : fd;
  // A mount here hides a cgroup that may contain us.
  const found = mountOf(fd) === mountOf(dirfd) ? walk(fd, depth - 1) : Errno.EXDEV;
  close(fd);
  return found;
}

function mountOf(fd: number): string | null {
  try {
    return /^mnt_id:\t(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? null;
  } catch (error) {
    negativeErrno(error);
    return null;
  }
}

function isGone(errno: number): boolean {
  return errno === Errno.ENOENT || errno === Errno.ENODEV;
}
