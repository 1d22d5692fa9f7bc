/** Creates the failures that readers return as values. */

import { errnoName } from '../../error/errno-name.js';
import { ReadStatus, type ReadStatusValue, readBuffer } from '../../kernel/kept-file.js';
import { Errno } from '../../kernel/syscall.js';
import type { ParseFault } from '../../kernel/text/fault.js';
import type { ReadCode } from '../../schema/enumerations.js';
import type { ReadFailure } from '../engine.js';

/** Creates a failure that is not about text. `errno` is negative, or 0 if there is none. */
export function failure(
  code: ReadCode,
  file: string,
  errno: number,
  pid: number | null = null,
): ReadFailure {
  const name = errno === 0 ? null : errnoName(errno);
  return { code, errno: name, file, pid, offset: null, reason: null };
}

/** Creates the failure of the last read of `file`, from the state of `readBuffer`. */
export function readFailure(
  code: 'ERR_CGROUP_READ' | 'ERR_PROC_READ',
  file: string,
  status: ReadStatusValue,
  pid: number | null = null,
): ReadFailure {
  if (status !== ReadStatus.TOO_LARGE) return failure(code, file, readBuffer.errno, pid);
  return { code, errno: null, file, pid, offset: null, reason: 'larger than 64 KiB' };
}

/** Creates the failure of a process that exists but is not visible in this procfs. */
export function hiddenFailure(pid: number): ReadFailure {
  const hidden = failure('ERR_PROC_READ', 'stat', Errno.ENOENT, pid);
  return { ...hidden, reason: 'the process exists, but /proc hides it' };
}

/** Creates the failure of a cgroup that lists a process without a pid in our pid namespace. */
export function foreignMemberFailure(): ReadFailure {
  const foreign = failure('ERR_PROC_READ', 'cgroup.procs', 0);
  return { ...foreign, reason: 'a member is in a pid namespace that is not below ours' };
}

export function parseFailure(
  code: 'ERR_CGROUP_PARSE' | 'ERR_PROC_PARSE',
  file: string,
  { offset, reason }: ParseFault,
  pid: number | null = null,
): ReadFailure {
  return { code, errno: null, file, pid, offset, reason };
}
