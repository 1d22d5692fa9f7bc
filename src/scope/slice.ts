/** The slice that holds the scopes: made when the first needs it, removed by whoever leaves it last. */
import { errnoOf } from '../host/errno.js';
import { throwShortage } from '../host/shortage.js';
import { markerName, SLICE_MARKER } from './marker.js';
import { currentOwner, formatOwner } from './owner.js';
import type { PinnedCgroup } from './pinned-cgroup.js';

/**
 * The slice in `parent`, opened. One that is made is marked as ours, or removed again where it can be neither opened nor
 * marked; one that others made stays unmarked.
 */
export async function openSlice(parent: PinnedCgroup, name: string): Promise<PinnedCgroup> {
  let isNew = true;
  try {
    parent.make(name);
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause;
    isNew = false;
  }
  if (!isNew) return parent.child(name);
  let slice: PinnedCgroup | null = null;
  try {
    slice = parent.child(name);
    if (slice.setOwnerMark(formatOwner(currentOwner())) !== null) slice.make(SLICE_MARKER);
    return slice;
  } catch (cause) {
    slice?.close();
    // Nobody would know that it is ours to remove. It stays where somebody else has made a scope in it already.
    await parent.remove(name);
    throw cause;
  }
}

/**
 * Removes the slice if episcope made it and nothing is in it. Quiet: that it is in use is no failure. Throws only where
 * no descriptor is left to look with.
 */
export async function removeSliceIfOurs(parent: PinnedCgroup, name: string): Promise<void> {
  let slice: PinnedCgroup | null = null;
  try {
    slice = parent.childIfAny(name);
    if (slice === null) return;
    const children = slice.childNames();
    const byMarker = children.includes(SLICE_MARKER);
    if (!byMarker && slice.ownerMark() === null) return;
    if (children.some((child) => child !== SLICE_MARKER)) return;
    if (byMarker) await slice.remove(SLICE_MARKER);
    const errno = await parent.remove(name);
    // Another run came in between: its scope keeps the slice, and the slice needs its marker again.
    if (errno !== null && errno !== 'ENOENT' && byMarker) slice.make(SLICE_MARKER);
  } catch (cause) {
    throwShortage(cause, `${parent.path}/${name}`);
    // Gone or taken meanwhile: whoever is in it now removes it.
  } finally {
    slice?.close();
  }
}

/** The name of our marker directory for a scope. */
export function ownMarker(id: string): string {
  return markerName(currentOwner(), id);
}
