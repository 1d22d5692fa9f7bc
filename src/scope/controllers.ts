/** Enabling controllers for the children of a cgroup. */

import { findCgroup2Mount } from '../host/index.js';
import { controllersForChildren } from '../kernel/cgroup-files.js';
import type { Directories } from '../kernel/directories.js';
import { isShortage, throwShortage } from '../kernel/errno.js';
import { PinnedCgroup, using, writeError } from './pinned-cgroup.js';

/**
 * Enables every controller that the children of `cgroup` can have, one by one: a refused controller (in use by a v1
 * hierarchy, not delegated) does not prevent the others; the scope's own cgroup.controllers shows the outcome.
 * Nothing is disabled again: other processes may have come to rely on a controller, and disabling it kills their open
 * files.
 */
export async function enableControllers(cgroup: PinnedCgroup): Promise<void> {
  const enabled = cgroup.words('cgroup.subtree_control') ?? [];
  for (const controller of controllersForChildren(cgroup.via)) {
    if (enabled.includes(controller)) continue;
    const text = `+${controller}`;
    const errno = await cgroup.write('cgroup.subtree_control', text);
    // Not a refusal: the request never reached the kernel.
    if (isShortage(errno)) throw writeError(cgroup, 'cgroup.subtree_control', text, String(errno));
  }
}

/** Does the same in every cgroup above the one at `path`, from the top down: each must pass a controller on. */
export async function enableControllersAbove(path: string, access: Directories): Promise<void> {
  const mount = findCgroup2Mount();
  if (mount === null || !path.startsWith(`${mount}/`)) return;
  let above = mount;
  for (const name of path.slice(mount.length + 1).split('/')) {
    const cgroup = openQuietly(above, access);
    if (cgroup !== null) await using(cgroup, () => enableControllers(cgroup));
    above = `${above}/${name}`;
  }
}

/** Returns null for a cgroup that may not be opened, because we may change nothing in it. */
function openQuietly(path: string, access: Directories): PinnedCgroup | null {
  try {
    return PinnedCgroup.open(path, access);
  } catch (cause) {
    throwShortage(cause, path);
    return null;
  }
}
