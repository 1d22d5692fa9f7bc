/** Kills a process tree that has no cgroup of its own. */

import { TelemetryError } from '../error/index.js';
import { killMembers } from '../kernel/process-killer.js';
import { whyForeignProc } from '../kernel/procfs.js';

/**
 * Kills every descendant of `root` (not `root` itself, never this process): stops them all, lists again until no new
 * ones appear and all have stopped, then sends SIGKILL and waits until they have ended. A walk that kills as it goes
 * would miss children that were forked behind it. Complete for descendants linked by parentage; with a subreaper as
 * `root` also for orphans.
 *
 * Returns how many were killed. Throws `ERR_ACTION_FAILED` with the errno if some are still alive: `EPERM` (we may not
 * signal them), `EAGAIN` (new ones kept appearing), `ETIMEDOUT` (they hang in the kernel), `ENXIO` (`/proc` is not
 * ours: none was signalled).
 */
export async function killDescendants(root: number): Promise<number> {
  const { killed, errno } = await killMembers({ cgroup: null, processes: [], reapers: [root] });
  if (errno === null) return killed;
  const why = whyForeignProc();
  throw new TelemetryError(
    'ERR_ACTION_FAILED',
    why === null
      ? `some processes below ${root} may live on after they were killed (${errno})`
      : `no process below ${root} was killed: ${why}`,
    { errno },
  );
}
