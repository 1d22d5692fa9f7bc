/** Whether a number beneath `/proc` names the process that a system call would name by it. */
import { hasSamePids, procRootAt } from '../engine/js/process-directory.js';

const PROC = '/proc';

/**
 * Why nothing that `/proc` says of a pid may be believed, and nobody may be signalled by a number that was found there:
 * a sandbox may show the `/proc` of another pid namespace, in which every number is a stranger's, or none at all.
 * null where `/proc` is that of this process's own pid namespace. Looks now.
 */
export function whyForeignProc(): string | null {
  const root = procRootAt(PROC);
  if (!root.isProcfs) return `no procfs is mounted at ${PROC}`;
  if (hasSamePids(root)) return null;
  return `the procfs at ${PROC} belongs to another pid namespace: its numbers are other processes' here`;
}
