/** The process that is to live in a scope. */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { invalidConfig, ProcError } from '../error/index.js';
import { cgroupActions } from '../host/cgroup-actions.js';
import { ownCgroupPath } from '../host/hierarchy.js';
import { findCgroup2Mount, whyForeignProc } from '../host/index.js';
import { hasExited, readProcessStat } from '../host/process-identity.js';
import type { PinnedCgroup } from './pinned-cgroup.js';

export const PROCS = 'cgroup.procs';
const EVACUATION_ROUNDS = 100;

/**
 * Of a process that lives: a number may be somebody else's by now. Throws `ERR_PROC_GONE`, and `ERR_PROC_NOT_AVAILABLE`
 * where every number in `/proc` is somebody else's.
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

/** The directory of the cgroup that the process is in; null where none is visible. */
export function cgroupOf(pid: number | 'self'): string | null {
  const mount = findCgroup2Mount();
  if (mount === null || (pid !== 'self' && whyForeignProc() !== null)) return null;
  try {
    const path = ownCgroupPath(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
    return path === null ? null : posix.join(mount, path);
  } catch {
    return null;
  }
}

/** Whether this process lives in the cgroup of this directory, or below it. */
export function isInside(cgroupPath: string): boolean {
  const own = cgroupOf('self');
  return own === cgroupPath || own?.startsWith(`${cgroupPath}/`) === true;
}

/** Who froze itself could not thaw again, and who killed itself could not tell. Throws `ERR_INVALID_CONFIG`. */
export function assertNotInside(cgroupPath: string, what: string): void {
  if (!isInside(cgroupPath)) return;
  throw invalidConfig(`${cgroupPath} holds this very process: it cannot ${what} itself`);
}

/** Moves all that lives in `cgroup` to the directory `origin`, or where that is gone to `instead`. */
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
        origin === null ? 'ENOENT' : await cgroupActions().write(origin, PROCS, String(pid));
      if (errno !== null && errno !== 'ESRCH') await instead.write(PROCS, String(pid));
    }
  }
}
