/** This process must never freeze or kill itself. */
import { invalidConfig } from '../error/index.js';
import { HOLDS_US, whyNotStopped } from '../kernel/own-membership.js';
import { readProcessStat } from '../kernel/process-identity.js';
import { whyForeignProc } from '../kernel/procfs.js';
import { fileSystemMagicAt } from '../kernel/syscall.js';
import { CGROUP2_SUPER_MAGIC } from '../schema/bounds.js';

/**
 * Throws `ERR_INVALID_CONFIG` if this process is, or descends from, `pid`, or is in the cgroup or below it: an action
 * on that episode would kill or freeze this process too. If `cgroupPath` is null, the action is on the process tree.
 */
export function assertNotOurselves(pid: number, cgroupPath: string | null): void {
  if (descendsFrom(pid)) {
    throw invalidConfig(
      `onExhausted would act on this process: it ${pid === process.pid ? 'is' : 'descends from'} ${pid}`,
    );
  }
  // A fixture or a recorded tree contains no process.
  if (cgroupPath === null || fileSystemMagicAt(cgroupPath) !== CGROUP2_SUPER_MAGIC) return;
  const errno = whyNotStopped(cgroupPath);
  if (errno === null) return;
  throw invalidConfig(
    errno === HOLDS_US
      ? `onExhausted would act on this process: it lives in ${cgroupPath}`
      : `onExhausted might act on this process: it cannot be read whether it lives in ${cgroupPath} (${errno})`,
  );
}

function descendsFrom(ancestor: number): boolean {
  // Only /proc has the ancestors beyond the parent, and in this one the same pids are other processes.
  if (whyForeignProc() !== null) return [process.pid, process.ppid, 1].includes(ancestor);
  for (let pid = process.pid; pid > 1; ) {
    if (pid === ancestor) return true;
    const stat = readProcessStat(pid);
    if (stat === null) return false;
    pid = stat.ppid;
  }
  return ancestor === 1;
}
