import type { CgroupSpec } from '../engine/engine.js';
import { CgroupError } from '../error/index.js';
import { findCgroup2Mount } from '../host/index.js';
import { episodeCgroupPath } from '../scope/path.js';

/**
 * Where the scope of an episode is looked for: beneath `root`, or the host's cgroup2 mount.
 *
 * Throws what `episodeCgroupPath` throws, and `ERR_CGROUP_NOT_AVAILABLE` where there is no cgroup2 mount.
 */
export function episodeCgroup(
  id: string,
  root: string | null = findCgroup2Mount(),
  slice?: string,
): Omit<CgroupSpec, 'requireCgroupfs'> {
  if (root === null) {
    throw new CgroupError('ERR_CGROUP_NOT_AVAILABLE', 'this host has no cgroup2 mount');
  }
  const whole = episodeCgroupPath(id, root, slice);
  return { root, path: whole.slice(root.replace(/\/+$/, '').length + 1) };
}
