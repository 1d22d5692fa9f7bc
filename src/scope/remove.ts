/** Ending a scope: kill, wait until it is empty, remove. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { killMembers } from '../engine/js/process-killer.js';
import { CgroupError } from '../error/index.js';
import { cgroupActions } from '../host/cgroup-actions.js';
import { errnoOf } from '../host/cgroup-files.js';
import type { ProcessControl } from '../host/process-control.js';
import type { DirectScope } from './create.js';
import { childCgroups, removeSliceIfOurs } from './slice.js';

/** A process in uninterruptible sleep outlives its SIGKILL for as long as the device lets it. */
const KILL_TIMEOUT_MS = 5_000;
const RMDIR_TIMEOUT_MS = 1_000;

/**
 * Kills everything in the cgroup and below, and waits until it is empty. `cgroup.kill` where the kernel has
 * it (5.14), else its members are stopped and killed until none is left.
 *
 * Throws `CgroupError` `ERR_SCOPE_BUSY` after `timeoutMs`. A cgroup that is gone is empty.
 */
export async function killCgroup(directory: string, timeoutMs = KILL_TIMEOUT_MS): Promise<void> {
  const atOnce = (await cgroupActions().write(directory, 'cgroup.kill', '1')) === null;
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = 0; isPopulated(directory); pauseMs = Math.min(pauseMs + 1, 10)) {
    if (performance.now() > deadline) {
      throw new CgroupError('ERR_SCOPE_BUSY', `${directory} still has processes after SIGKILL`, {
        file: directory,
      });
    }
    if (!atOnce) await killMembers({ cgroup: directory, processes: [], reapers: [] });
    await sleep(pauseMs);
  }
}

/** Whether processes live in the cgroup or below; false once it is gone. */
function isPopulated(directory: string): boolean {
  try {
    return /^populated 1$/m.test(readFileSync(`${directory}/cgroup.events`, 'latin1'));
  } catch {
    return false;
  }
}

/**
 * Kills what is in the scope, removes it with the cgroups that were made inside, then its marker and, if it was
 * the last, the slice.
 *
 * Throws `CgroupError` `ERR_SCOPE_BUSY` where it does not get empty or its directory is still in use.
 */
export async function removeScope(
  scope: Pick<DirectScope, 'cgroupPath' | 'slicePath' | 'markerPath'>,
  control: ProcessControl | null,
): Promise<void> {
  await killCgroup(scope.cgroupPath);
  await removeTree(scope.cgroupPath);
  if (scope.markerPath !== null) await removeTree(scope.markerPath);
  removeSliceIfOurs(scope.slicePath, control);
}

/** rmdir, children first; a directory that is gone is removed. */
export async function removeTree(directory: string): Promise<void> {
  const deadline = performance.now() + RMDIR_TIMEOUT_MS;
  for (;;) {
    const errno = await removeOnce(directory);
    if (errno === null || errno === 'ENOENT') return;
    // A dying task may hold the directory for a moment after the last `populated 0`.
    if (errno !== 'EBUSY' || performance.now() >= deadline) {
      throw new CgroupError('ERR_SCOPE_BUSY', `cannot remove ${directory} (${errno})`, {
        errno,
        file: directory,
      });
    }
    await sleep(2);
  }
}

/** The children, and then the directory itself. null, or the errno. */
async function removeOnce(directory: string): Promise<string | null> {
  let children: string[];
  try {
    children = childCgroups(directory);
  } catch (cause) {
    return errnoOf(cause);
  }
  for (const name of children) await removeTree(`${directory}/${name}`);
  return cgroupActions().remove(directory);
}
