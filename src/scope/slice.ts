/** The slice that holds the scopes: created for the first scope, removed with the last. */

import { sliceDirectories } from '../episode/cgroup-path.js';
import { errnoOf, throwShortage } from '../kernel/errno.js';
import { enableControllers } from './controllers.js';
import { markerName, SLICE_MARKER } from './marker.js';
import { currentOwner, formatOwner } from './owner.js';
import { type PinnedCgroup, using } from './pinned-cgroup.js';

/**
 * Opens the slice beneath `root`, with the controllers that its scopes can have. Each created level is marked as ours,
 * or removed again if it cannot be opened or marked; a level of another creator stays unmarked. If a later level fails,
 * `removeSliceIfOurs` removes those already created.
 */
export async function openSlice(root: PinnedCgroup, slice: string): Promise<PinnedCgroup> {
  let level = root.again();
  for (const name of sliceDirectories(slice)) {
    level = await using(level, (parent) => openLevel(parent, name));
    try {
      await enableControllers(level);
    } catch (cause) {
      level.close();
      throw cause;
    }
  }
  return level;
}

async function openLevel(parent: PinnedCgroup, name: string): Promise<PinnedCgroup> {
  let isNew = true;
  try {
    parent.make(name);
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause;
    isNew = false;
  }
  if (!isNew) return parent.child(name);
  let level: PinnedCgroup | null = null;
  try {
    level = parent.child(name);
    if (level.setOwnerMark(formatOwner(currentOwner())) !== null) level.make(SLICE_MARKER);
    return level;
  } catch (cause) {
    level?.close();
    // Without the mark, no cleaner could tell that it is ours. It stays if another process has created a scope in it.
    await parent.remove(name);
    throw cause;
  }
}

/** Opens the slice without changes; returns null if there is none. Throws as `PinnedCgroup.child`. */
export function openSliceIfAny(root: PinnedCgroup, slice: string): PinnedCgroup | null {
  let level = root.again();
  for (const name of sliceDirectories(slice)) {
    const parent = level;
    let child: PinnedCgroup | null;
    try {
      child = parent.childIfAny(name);
    } finally {
      parent.close();
    }
    if (child === null) return null;
    level = child;
  }
  return level;
}

/**
 * Removes the empty levels of the slice that episcope created, the deepest first. A level in use is not a failure.
 * Throws only if no descriptor is left for the check.
 */
export async function removeSliceIfOurs(root: PinnedCgroup, slice: string): Promise<void> {
  const opened: PinnedCgroup[] = [];
  try {
    const levels: { readonly parent: PinnedCgroup; readonly name: string }[] = [];
    let parent: PinnedCgroup | null = root;
    for (const name of sliceDirectories(slice)) {
      levels.push({ parent, name });
      parent = parent.childIfAny(name);
      if (parent === null) break;
      opened.push(parent);
    }
    for (const level of levels.reverse()) {
      if (!(await removeLevelIfOurs(level.parent, level.name))) return;
    }
  } catch (cause) {
    throwShortage(cause, `${root.path}/${slice}`);
    // Gone or in use again meanwhile: its new user removes it.
  } finally {
    for (const level of opened) level.close();
  }
}

/** Returns whether the level is gone. */
async function removeLevelIfOurs(parent: PinnedCgroup, name: string): Promise<boolean> {
  const level = parent.childIfAny(name);
  if (level === null) return true;
  return using(level, async () => {
    const children = level.childNames();
    const byMarker = children.includes(SLICE_MARKER);
    if (!byMarker && level.ownerMark() === null) return false;
    if (children.some((child) => child !== SLICE_MARKER)) return false;
    if (byMarker) await level.remove(SLICE_MARKER);
    const errno = await parent.remove(name);
    if (errno === null || errno === 'ENOENT') return true;
    // Another run has created a scope meanwhile: the slice stays, and needs its marker again.
    if (byMarker) level.make(SLICE_MARKER);
    return false;
  });
}

/** The name of our marker directory for a scope. */
export function ownMarker(id: string): string {
  return markerName(currentOwner(), id);
}
