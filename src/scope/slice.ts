/** The slice that holds the scopes: made when the first needs it, removed by whoever leaves it last. */

import { sliceDirectories } from '../episode/cgroup-path.js';
import { errnoOf, throwShortage } from '../kernel/errno.js';
import { enableControllers } from './controllers.js';
import { markerName, SLICE_MARKER } from './marker.js';
import { currentOwner, formatOwner } from './owner.js';
import { type PinnedCgroup, using } from './pinned-cgroup.js';

/**
 * The slice beneath `root`, opened, with the controllers that its scopes can have. Each level that is made is marked as
 * ours, or removed again where it can be neither opened nor marked; one that others made stays unmarked. What was made
 * when a later level fails, `removeSliceIfOurs` removes.
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
    // Without the mark nobody would know that it is ours to remove. It stays where somebody has made a scope in it.
    await parent.remove(name);
    throw cause;
  }
}

/** As it is; null where there is none. Throws as `PinnedCgroup.child`. */
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
 * Removes the levels of the slice that episcope made and that nothing is in, the deepest first. Quiet: that one is in use
 * is no failure. Throws only where no descriptor is left to look with.
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
    // Gone or taken meanwhile: whoever is in it now removes it.
  } finally {
    for (const level of opened) level.close();
  }
}

/** Whether it is gone. */
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
    // Another run came in between: its scope keeps the slice, and the slice needs its marker again.
    if (byMarker) level.make(SLICE_MARKER);
    return false;
  });
}

/** The name of our marker directory for a scope. */
export function ownMarker(id: string): string {
  return markerName(currentOwner(), id);
}
