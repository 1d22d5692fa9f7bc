/** What must never be frozen or killed: ourselves. */
import { invalidConfig } from '../error/index.js';
import { HOLDS_US, whyNotStopped } from '../kernel/own-membership.js';
import { readProcessStat } from '../kernel/process-identity.js';
import { whyForeignProc } from '../kernel/procfs.js';
import { fileSystemMagicAt } from '../kernel/syscall.js';
import { CGROUP2_SUPER_MAGIC } from '../schema/bounds.js';

/**
 * Throws `ERR_INVALID_CONFIG` where this process is, or descends from, `pid`, or lives in the cgroup or below it: an
 * action on that episode would end or stop us too. `cgroupPath` null: the process tree.
 */
export function assertNotOurselves(pid: number, cgroupPath: string | null): void {
  if (descendsFrom(pid)) {
    throw invalidConfig(
      `onExhausted would act on this process: it ${pid === process.pid ? 'is' : 'descends from'} ${pid}`,
    );
  }
  // A fixture or a recorded tree holds no process.
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
  // Parents further up are known from /proc only, where these numbers are other processes.
  if (whyForeignProc() !== null) return [process.pid, process.ppid, 1].includes(ancestor);
  for (let pid = process.pid; pid > 1; ) {
    if (pid === ancestor) return true;
    const stat = readProcessStat(pid);
    if (stat === null) return false;
    pid = stat.ppid;
  }
  return ancestor === 1;
}
