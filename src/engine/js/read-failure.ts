/** Failures of the readers, as values. */

import { errnoName } from '../../error/errno-name.js';
import { ReadStatus, type ReadStatusValue, readBuffer } from '../../kernel/kept-file.js';
import { Errno } from '../../kernel/syscall.js';
import type { ParseFault } from '../../kernel/text/fault.js';
import type { ReadCode } from '../../schema/enumerations.js';
import type { ReadFailure } from '../failure.js';

/** A failure without text: `errno` is negative, or 0 where the kernel gave none. */
export function failure(
  code: ReadCode,
  file: string,
  errno: number,
  pid: number | null = null,
): ReadFailure {
  const name = errno === 0 ? null : errnoName(errno);
  return { code, errno: name, file, pid, offset: null, reason: null };
}

/** A failure of reading `file`, from what the last read left in `readBuffer`. */
export function readFailure(
  code: 'ERR_CGROUP_READ' | 'ERR_PROC_READ',
  file: string,
  status: ReadStatusValue,
  pid: number | null = null,
): ReadFailure {
  if (status !== ReadStatus.TOO_LARGE) return failure(code, file, readBuffer.errno, pid);
  return { code, errno: null, file, pid, offset: null, reason: 'larger than 64 KiB' };
}

/** Of a process that lives, and that this procfs does not show. */
export function hiddenFailure(pid: number): ReadFailure {
  const hidden = failure('ERR_PROC_READ', 'stat', Errno.ENOENT, pid);
  return { ...hidden, reason: 'it lives, and /proc hides it' };
}

/** That a cgroup lists a process which has no number in our pid namespace. */
export function foreignMemberFailure(): ReadFailure {
  const foreign = failure('ERR_PROC_READ', 'cgroup.procs', 0);
  return { ...foreign, reason: 'a member lives in a pid namespace that is not below ours' };
}

export function parseFailure(
  code: 'ERR_CGROUP_PARSE' | 'ERR_PROC_PARSE',
  file: string,
  { offset, reason }: ParseFault,
  pid: number | null = null,
): ReadFailure {
  return { code, errno: null, file, pid, offset, reason };
}
