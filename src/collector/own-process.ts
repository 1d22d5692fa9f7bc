/** What must never be frozen or killed: ourselves. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { invalidConfig } from '../error/index.js';
import { hostFacts, whyForeignProc } from '../host/index.js';
import { readProcessStat } from '../host/process-identity.js';

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
  if (cgroupPath !== null && livesIn(cgroupPath)) {
    throw invalidConfig(`onExhausted would act on this process: it lives in ${cgroupPath}`);
  }
}

function descendsFrom(ancestor: number): boolean {
  // Further up only /proc knows, and that knows other processes by these numbers.
  if (whyForeignProc() !== null) return [process.pid, process.ppid, 1].includes(ancestor);
  for (let pid = process.pid; pid > 1; ) {
    if (pid === ancestor) return true;
    const stat = readProcessStat(pid);
    if (stat === null) return false;
    pid = stat.ppid;
  }
  return ancestor === 1;
}

/** By inode: the same cgroup may have several paths. */
function livesIn(cgroupPath: string): boolean {
  const { cgroup2 } = hostFacts();
  const target = identity(cgroupPath);
  if (cgroup2 === null || cgroup2.ownDirectory === null || target === null) return false;
  for (let directory = cgroup2.ownDirectory; ; directory = dirname(directory)) {
    if (identity(directory) === target) return true;
    if (directory === cgroup2.mountPoint || directory === '/') return false;
  }
}

function identity(directory: string): string | null {
  try {
    const { dev, ino } = statSync(directory, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}
