/** Which cgroup hierarchies a host has, and where in cgroup2 a process is. Pure: text in, facts out. */
import { posix } from 'node:path';
import type { Mount } from '../kernel/text/mountinfo.js';

/** `hybrid`: a cgroup2 mount beside v1 hierarchies, usually without the controllers that those hold. */
export type CgroupMode = 'v2' | 'hybrid' | 'v1' | 'none';

export function cgroupMode(mounts: readonly Mount[]): CgroupMode {
  const v1 = mounts.some((mount) => mount.fsType === 'cgroup');
  const v2 = mounts.some((mount) => mount.fsType === 'cgroup2');
  if (v2) return v1 ? 'hybrid' : 'v2';
  return v1 ? 'v1' : 'none';
}

/** The cgroup2 mount to use: the one that shows most of the hierarchy, preferably at the customary place. */
export function cgroup2Mount(mounts: readonly Mount[]): Mount | null {
  const found = mounts.filter((mount) => mount.fsType === 'cgroup2');
  return found.sort((a, b) => rank(a) - rank(b))[0] ?? null;
}

function rank(mount: Mount): number {
  const partial = mount.root === '/' ? 0 : 10;
  if (mount.mountPoint === '/sys/fs/cgroup') return partial;
  return partial + (mount.mountPoint.startsWith('/sys/fs/cgroup/') ? 1 : 2);
}

/** The `0::` line of `/proc/<pid>/cgroup`: the path in the cgroup2 hierarchy. Names may hold `:`. */
export function ownCgroupPath(text: string): string | null {
  const line = text.split('\n').find((candidate) => candidate.startsWith('0::/'));
  return line === undefined ? null : line.slice('0::'.length);
}

/**
 * The directory of the cgroup `path` (of a `0::` line) under a mount, or null if the mount does not show
 * it: a bind mount of another part, or a cgroup outside this cgroup namespace (`/../…`).
 */
export function cgroupDirectoryUnder(mount: Mount, path: string): string | null {
  if (path.split('/').includes('..') || mount.root.split('/').includes('..')) return null;
  const relative = posix.relative(mount.root, path);
  return relative.split('/').includes('..') ? null : posix.join(mount.mountPoint, relative);
}
