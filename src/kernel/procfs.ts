/** Whether a number beneath `/proc` names the process that a system call would name by it. */

import { errnoName } from '../error/errno-name.js';
import { TelemetryError } from '../error/index.js';
import { readText } from './cgroup-files.js';
import { procRootAt, whyForeign } from './process-directory.js';

const PROC = '/proc';

/** Returns `path` if it is absolute: the mount point of a procfs, or a recorded one. Throws `ERR_INVALID_CONFIG`. */
export function assertProcRoot(path: string): string {
  if (typeof path === 'string' && path.startsWith('/') && !path.includes('\0')) return path;
  throw new TelemetryError('ERR_INVALID_CONFIG', 'procRoot must be an absolute path');
}

/** Says why the pids below `procRoot` mean nothing to this process. `errno` is the name of what `whyForeign` returned. */
export function procNotAvailable(procRoot: string, errno: string | null): string {
  return errno === 'ENXIO'
    ? `the procfs at ${procRoot} belongs to another pid namespace: its numbers are other processes' here`
    : `no procfs is mounted at ${procRoot}`;
}

/**
 * Why nothing that `/proc` says of a pid may be believed, and nobody may be signalled by a number that was found there:
 * a sandbox may show the `/proc` of another pid namespace, in which every number is a stranger's, or none at all.
 * null where `/proc` is that of this process's own pid namespace. Looks at each call, and throws `ERR_PROC_READ` where
 * it cannot.
 */
export function whyForeignProc(): string | null {
  // Throws where no descriptor is left to look with: `whyForeign` would not tell that from a foreign procfs.
  readText(`${PROC}/self/status`);
  const errno = whyForeign(procRootAt(PROC));
  return errno === 0 ? null : procNotAvailable(PROC, errnoName(errno));
}
