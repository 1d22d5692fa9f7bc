/** Enabling controllers for the children of a cgroup. */

import { findCgroup2Mount } from '../host/index.js';
import { controllersForChildren } from '../kernel/cgroup-files.js';
import type { Directories } from '../kernel/directories.js';
import { isShortage, throwShortage } from '../kernel/errno.js';
import { PinnedCgroup, using, writeError } from './pinned-cgroup.js';

/**
 * Turns on what the children of `cgroup` can have, one by one: a controller that is refused (in use by a v1
 * hierarchy, not delegated) does not keep the others from being enabled; the scope's own cgroup.controllers says what
 * came of it. Nothing is turned off again: others may have come to rely on it, and turning a controller off kills
 * their open files.
 */
export async function enableControllers(cgroup: PinnedCgroup): Promise<void> {
  const enabled = cgroup.words('cgroup.subtree_control') ?? [];
  for (const controller of controllersForChildren(cgroup.via)) {
    if (enabled.includes(controller)) continue;
    const text = `+${controller}`;
    const errno = await cgroup.write('cgroup.subtree_control', text);
    // Not refused: it was not even asked for.
    if (isShortage(errno)) throw writeError(cgroup, 'cgroup.subtree_control', text, String(errno));
  }
}

/** The same in every cgroup from the top of the hierarchy down to the one at `path`, which all have to pass one on. */
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

/** One that may not be opened has nothing that we may change. */
function openQuietly(path: string, access: Directories): PinnedCgroup | null {
  try {
    return PinnedCgroup.open(path, access);
  } catch (cause) {
    throwShortage(cause, path);
    return null;
  }
}
