/** Limits that the kernel itself keeps, written before anything lives in the scope. */
import { CgroupError } from '../error/index.js';
import { cgroupActions } from '../host/cgroup-actions.js';
import type { DirectScope } from './create.js';

export interface MemoryLimit {
  /** `memory.max`; the kernel rounds it down to a page. */
  readonly bytes: bigint;
  /** `memory.oom.group`: an oom kill takes the whole scope, and not one process of it. */
  readonly killsAll: boolean;
}

/** Throws `CgroupError` `ERR_CGROUP_WRITE` with the errno and the file. */
export async function limitMemory(
  { cgroupPath }: DirectScope,
  { bytes, killsAll }: MemoryLimit,
): Promise<void> {
  if (killsAll) await write(cgroupPath, 'memory.oom.group', '1');
  await write(cgroupPath, 'memory.max', String(bytes));
}

async function write(cgroupPath: string, file: string, text: string): Promise<void> {
  const errno = await cgroupActions().write(cgroupPath, file, text);
  if (errno === null) return;
  const path = `${cgroupPath}/${file}`;
  throw new CgroupError('ERR_CGROUP_WRITE', `cannot write ${text} to ${path} (${errno})`, {
    errno,
    file: path,
  });
}
