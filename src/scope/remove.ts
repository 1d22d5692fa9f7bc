/** Ends a scope: kills, waits until it is empty, removes it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Wait, within } from '../async/within.js';
import { scopeName } from '../episode/cgroup-path.js';
import { CgroupError } from '../error/index.js';
import { directories } from '../kernel/directories.js';
import { errnoOf, isShortage, throwShortage } from '../kernel/errno.js';
import { killMembers } from '../kernel/process-killer.js';
import { whyForeignProc } from '../kernel/procfs.js';
import { KILL_LIMIT_MS } from '../schema/bounds.js';
import type { DirectScope } from './create.js';
import { markersIn } from './marker.js';
import { currentOwner } from './owner.js';
import { PinnedCgroup, using, writeError } from './pinned-cgroup.js';
import { assertNotInside } from './process.js';
import { openSliceIfAny, removeSliceIfOurs } from './slice.js';

/** A process in uninterruptible sleep outlives its SIGKILL until the device lets it continue. */
export const REMOVE_TIMEOUT_MS = 25_000;
/** The pause between checks from which a process counts as having outlived the kill: some 15 ms after `cgroup.kill`. */
const OUTLIVE_PAUSE_MS = 5;
const RMDIR_TIMEOUT_MS = 1_000;

export interface RemoveOptions {
  /** Kill the processes in it; without this, a scope with processes is `ERR_SCOPE_BUSY`. */
  readonly kill: boolean;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export function waitOf({ timeoutMs = REMOVE_TIMEOUT_MS, signal }: Partial<RemoveOptions>): Wait {
  return { deadline: performance.now() + timeoutMs, signal };
}

/** Which scope: the one of this name with all its markers; with an identity, only that very scope with its own. */
export type ScopeRef = Pick<DirectScope, 'id' | 'parent' | 'slice'> &
  Partial<Pick<DirectScope, 'identity' | 'marker'>>;

/**
 * Kills every process in the cgroup and below, and waits until it is empty. Uses `cgroup.kill` if the kernel has
 * it (5.14), else stops and kills its members until none is left.
 *
 * Throws `CgroupError` `ERR_SCOPE_BUSY` after `timeoutMs`, the reason of an aborted `signal`, and what
 * `assertNotInside` throws. A cgroup that is gone counts as empty.
 */
export async function killCgroup(
  cgroup: PinnedCgroup,
  { timeoutMs = REMOVE_TIMEOUT_MS, signal }: Omit<RemoveOptions, 'kill'> = {},
): Promise<void> {
  assertNotInside(cgroup, 'kill');
  const errno = await cgroup.write('cgroup.kill', '1');
  // Only a shortage is a failure: without the file, the processes are killed one by one.
  if (isShortage(errno)) throw writeError(cgroup, 'cgroup.kill', '1', String(errno));
  const atOnce = errno === null;
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = 0; cgroup.events()?.populated === true; pauseMs = Math.min(pauseMs + 1, 10)) {
    if (performance.now() > deadline) {
      throw busy(cgroup.path, 'still has processes after SIGKILL');
    }
    // The kernel skips a process whose first thread has ended.
    const outlived = atOnce && pauseMs >= OUTLIVE_PAUSE_MS && whyForeignProc() === null;
    if (!atOnce || outlived) await killListed(cgroup, deadline);
    await sleep(pauseMs);
    signal?.throwIfAborted();
  }
}

/** Throws `ERR_SCOPE_BUSY` if no process may be signalled by pid, because a retry would not help. */
async function killListed(cgroup: PinnedCgroup, deadline: number): Promise<void> {
  const why = whyForeignProc();
  if (why !== null) throw busy(cgroup.path, `has processes that cannot be killed: ${why}`);
  const limitMs = Math.min(deadline - performance.now(), KILL_LIMIT_MS);
  await killMembers({ cgroup: cgroup.via, processes: [], reapers: [] }, limitMs);
}

/**
 * Removes the scope with the cgroups that were created inside, then its marker and, if it was the last, the slice.
 * Returns false if there is none (any more).
 *
 * Throws `CgroupError` `ERR_SCOPE_BUSY` if it is not empty, does not become empty, or its directory is still in use;
 * after `timeoutMs` also if the kernel has not finished an operation, which then continues on its own.
 */
export function removeScope(ref: ScopeRef, options: RemoveOptions): Promise<boolean> {
  const path = `${ref.parent}/${ref.slice}/${scopeName(ref.id)}`;
  const { deadline, signal } = waitOf(options);
  return within(
    // Later than the removal's own deadline, whose error is more specific.
    { deadline: deadline + RMDIR_TIMEOUT_MS, signal },
    () => removeNow(ref, options),
    () => busy(path, 'is still there: the kernel took too long', 'ETIMEDOUT'),
  );
}

async function removeNow(ref: ScopeRef, options: RemoveOptions): Promise<boolean> {
  const root = openIfAny(ref.parent);
  if (root === null) return false;
  return using(root, async () => {
    const slice = openSliceIfAny(root, ref.slice);
    if (slice === null) return false;
    const found = await using(slice, async () => {
      const scope = slice.childIfAny(scopeName(ref.id));
      const isIt =
        scope !== null && (await using(scope, () => removeIfIt(slice, scope, ref, options)));
      // Once it is gone, only its own marker can remain; any other marker belongs to a later scope of this name.
      if (!isIt && ref.marker != null) await slice.remove(ref.marker);
      return isIt;
    });
    await removeSliceIfOurs(root, ref.slice);
    return found;
  });
}

/** Removes `scope` if it is the one that `ref` names. Returns whether it is. */
async function removeIfIt(
  slice: PinnedCgroup,
  scope: PinnedCgroup,
  ref: ScopeRef,
  options: RemoveOptions,
): Promise<boolean> {
  if (ref.identity !== undefined && ref.identity !== scope.identity) return false;
  const markers = markersOf(slice, ref);
  await removePinned(slice, scopeName(ref.id), scope, options);
  for (const marker of markers) await slice.remove(marker);
  return true;
}

function markersOf(slice: PinnedCgroup, { id, marker }: ScopeRef): string[] {
  if (marker !== undefined) return marker === null ? [] : [marker];
  const markers = markersIn(slice.childNames(), currentOwner());
  return markers.filter((each) => each.id === id).map(({ name }) => name);
}

async function removePinned(
  slice: PinnedCgroup,
  name: string,
  scope: PinnedCgroup,
  options: RemoveOptions,
): Promise<void> {
  if (options.kill) await killCgroup(scope, options);
  else assertEmpty(scope);
  await removeTree(slice, name);
}

/** rmdir of a child, its own children first; a child that is gone counts as removed. */
export async function removeTree(parent: PinnedCgroup, name: string): Promise<void> {
  const deadline = performance.now() + RMDIR_TIMEOUT_MS;
  for (;;) {
    const errno = await removeOnce(parent, name);
    if (errno === null || errno === 'ENOENT') return;
    // A dying task may hold the directory briefly after the last `populated 0`.
    if (errno !== 'EBUSY' || performance.now() >= deadline) {
      throw busy(`${parent.path}/${name}`, `cannot be removed (${errno})`, errno);
    }
    await sleep(2);
  }
}

/** Removes the children, then the directory itself. Returns null, or the errno. */
async function removeOnce(parent: PinnedCgroup, name: string): Promise<string | null> {
  const cgroup = parent.childIfAny(name);
  if (cgroup === null) return 'ENOENT';
  const errno = await using(cgroup, async () => {
    let children: string[];
    try {
      children = cgroup.childNames();
    } catch (cause) {
      throwShortage(cause, cgroup.path);
      return errnoOf(cause);
    }
    for (const child of children) await removeTree(cgroup, child);
    return null;
  });
  return errno ?? parent.remove(name);
}

function openIfAny(path: string): PinnedCgroup | null {
  try {
    return PinnedCgroup.open(path, directories());
  } catch (cause) {
    if (cause instanceof CgroupError && cause.code === 'ERR_CGROUP_NOT_FOUND') return null;
    throw cause;
  }
}

/** Throws `ERR_SCOPE_BUSY`. */
export function assertEmpty(cgroup: PinnedCgroup): void {
  if (cgroup.events()?.populated !== true) return;
  throw busy(cgroup.path, 'has processes; kill: true ends them');
}

export function busy(path: string, why: string, errno?: string): CgroupError {
  return new CgroupError('ERR_SCOPE_BUSY', `${path} ${why}`, { errno, file: path });
}
