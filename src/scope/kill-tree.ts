/** Killing a process tree that has no cgroup of its own. */
import { killMembers } from '../engine/js/process-killer.js';

/**
 * Kills every descendant of `root` (not `root` itself, never this process): stops them all, lists again until
 * nothing new appears and all have stopped, then SIGKILLs. A walk that kills as it goes leaves the children that
 * were forked behind it. Complete for descendants linked by parentage; with a subreaper as `root` also for orphans.
 *
 * Returns how many were killed.
 */
export async function killDescendants(root: number): Promise<number> {
  return (await killMembers({ cgroup: null, processes: [], reapers: [root] })).killed;
}
