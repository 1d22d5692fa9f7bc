/** The process that will run in a scope. */

import { CgroupError, invalidConfig, ProcError } from '../error/index.js';
import { cgroupActions } from '../kernel/cgroup-actions.js';
import { isShortage } from '../kernel/errno.js';
import { HOLDS_US, whyNotStopped } from '../kernel/own-membership.js';
import { hasExited, readProcessStat } from '../kernel/process-identity.js';
import { whyForeignProc } from '../kernel/procfs.js';
import { type PinnedCgroup, writeError } from './pinned-cgroup.js';

const EVACUATION_ROUNDS = 100;

/**
 * The starttime of a live process, whose pid may be another process's later. Throws `ERR_PROC_GONE`, and
 * `ERR_PROC_NOT_AVAILABLE` if `/proc` is that of another pid namespace.
 */
export function starttimeOf(pid: number): string {
  const why = whyForeignProc();
  if (why !== null) throw new ProcError('ERR_PROC_NOT_AVAILABLE', why, { file: '/proc' });
  const stat = readProcessStat(pid);
  if (stat === null || hasExited(stat)) throw processGone(pid);
  return stat.startTicks;
}

export function processGone(pid: number): ProcError {
  return new ProcError('ERR_PROC_GONE', `process ${pid} is gone`, { file: `/proc/${pid}` });
}

/**
 * Throws `ERR_INVALID_CONFIG` if this process is inside the cgroup, because it could not thaw itself, and
 * `ERR_CGROUP_READ` if that cannot be determined.
 */
export function assertNotInside({ via, path }: PinnedCgroup, what: 'freeze' | 'kill'): void {
  const errno = whyNotStopped(via);
  if (errno === null) return;
  if (errno === HOLDS_US) {
    throw invalidConfig(`${path} holds this very process: it cannot ${what} itself`);
  }
  const why = `it cannot be read whether it holds this very process (${errno})`;
  throw new CgroupError('ERR_CGROUP_READ', `cannot ${what} ${path}: ${why}`, {
    errno,
    file: `${path}/cgroup.procs`,
  });
}

/** Moves every process in `cgroup` to the directory `origin`, or to `instead` if that is gone. */
export async function evacuate(
  cgroup: PinnedCgroup,
  origin: string | null,
  instead: PinnedCgroup,
): Promise<void> {
  for (let rounds = 0; rounds < EVACUATION_ROUNDS; rounds += 1) {
    const pids = cgroup.pids();
    if (pids.length === 0) return;
    for (const pid of pids) {
      const errno =
        origin === null
          ? 'ENOENT'
          : await cgroupActions().write(origin, 'cgroup.procs', String(pid));
      // Its origin still exists: a shortage of descriptors is no reason to move it elsewhere.
      if (isShortage(errno)) throw writeError(cgroup, 'cgroup.procs', String(pid), String(errno));
      if (errno === null || errno === 'ESRCH') continue;
      const refused = await instead.write('cgroup.procs', String(pid));
      if (isShortage(refused))
        throw writeError(instead, 'cgroup.procs', String(pid), String(refused));
    }
  }
}
