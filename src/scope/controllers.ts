/** Enabling controllers for the children of a cgroup. */
import { controllersForChildren } from '../host/cgroup-files.js';
import type { PinnedCgroup } from './pinned-cgroup.js';

/**
 * Turns on what the children of `cgroup` can have, one by one: a controller that is refused (in use by a v1
 * hierarchy, not delegated) does not keep the others from being enabled; the scope's own cgroup.controllers says what
 * came of it. Nothing is turned off again: others may have come to rely on it, and turning a controller off kills
 * their open files.
 */
export async function enableControllers(cgroup: PinnedCgroup): Promise<void> {
  const enabled = cgroup.words('cgroup.subtree_control') ?? [];
  for (const controller of controllersForChildren(cgroup.via)) {
    if (!enabled.includes(controller))
      await cgroup.write('cgroup.subtree_control', `+${controller}`);
  }
}
