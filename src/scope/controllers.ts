/** Enabling controllers for the children of a cgroup. */
import { writeFileSync } from 'node:fs';
import { controllersForChildren, readWords } from '../host/cgroup-files.js';

/**
 * Turns on what the children of `directory` can have, one by one: a controller that is refused (in use by a v1
 * hierarchy, not delegated) does not keep the others from being enabled. Nothing is turned off again: others may
 * have come to rely on it, and turning a controller off kills their open files.
 */
export function enableControllers(directory: string): void {
  const enabled = readWords(`${directory}/cgroup.subtree_control`) ?? [];
  for (const controller of controllersForChildren(directory)) {
    if (enabled.includes(controller)) continue;
    try {
      writeFileSync(`${directory}/cgroup.subtree_control`, `+${controller}`);
    } catch {
      // The scope's own cgroup.controllers says what came of it.
    }
  }
}
