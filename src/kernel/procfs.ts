/** Whether the pids in `/proc` are those of this process's own pid namespace. */

import { errnoName } from '../error/errno-name.js';
import { invalidConfig } from '../error/index.js';
import { readText } from './cgroup-files.js';
import { procRootAt, whyForeign } from './process-directory.js';

const PROC = '/proc';

/** Returns `path` if it is absolute: the mount point of a procfs, or a recorded one. Throws `ERR_INVALID_CONFIG`. */
export function assertProcRoot(path: string): string {
  if (typeof path === 'string' && path.startsWith('/') && !path.includes('\0')) return path;
  throw invalidConfig('procRoot must be an absolute path');
}

/** Says why the pids below `procRoot` mean nothing to this process. `errno` is the name of what `whyForeign` returned. */
export function procNotAvailable(procRoot: string, errno: string | null): string {
  return errno === 'ENXIO'
    ? `the procfs at ${procRoot} belongs to another pid namespace: its numbers are other processes' here`
    : `no procfs is mounted at ${procRoot}`;
}

/**
 * Says why no pid found in `/proc` may be used or signalled: a sandbox may mount the `/proc` of another pid namespace, in
 * which the same number is a different process, or none at all. Returns null if `/proc` belongs to this process's own
 * pid namespace. Checks at each call; throws `ERR_PROC_READ` if it cannot.
 */
export function whyForeignProc(): string | null {
  // Throws if no descriptor is left, which `whyForeign` could not distinguish from a foreign procfs.
  readText(`${PROC}/self/status`);
  const errno = whyForeign(procRootAt(PROC));
  return errno === 0 ? null : procNotAvailable(PROC, errnoName(errno));
}
