/** The slice that holds the scopes: made when the first needs it, removed by whoever leaves it last. */
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { errnoOf } from '../host/cgroup-files.js';
import type { ProcessControl } from '../host/process-control.js';
import { SLICE_MARKER } from './marker.js';
import { currentOwner, formatOwner } from './owner.js';

/** Makes the slice if it does not exist, and then marks it as made by episcope; one that others made stays unmarked. */
export function makeSlice(slicePath: string, control: ProcessControl | null): void {
  try {
    mkdirSync(slicePath);
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return;
    throw cause;
  }
  if (control === null || control.setOwnerMark(slicePath, formatOwner(currentOwner())) !== null) {
    mkdirSync(`${slicePath}/${SLICE_MARKER}`);
  }
}

/** Removes the slice if episcope made it and nothing is in it. Quiet: that it is in use is no failure. */
export function removeSliceIfOurs(slicePath: string, control: ProcessControl | null): void {
  const marker = `${slicePath}/${SLICE_MARKER}`;
  const byMarker = existsSync(marker);
  if (!byMarker && (control === null || control.getOwnerMark(slicePath) === null)) return;
  try {
    if (childCgroups(slicePath).some((name) => name !== SLICE_MARKER)) return;
    if (byMarker) rmdirSync(marker);
    rmdirSync(slicePath);
  } catch {
    // Another run came in between: its scope keeps the slice, and the slice needs its marker again.
    if (byMarker && existsSync(slicePath)) mkdirAgain(marker);
  }
}

/** Names of the directories in a cgroup: its children. */
export function childCgroups(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function mkdirAgain(directory: string): void {
  try {
    mkdirSync(directory);
  } catch {
    // Gone or made meanwhile: either is what was wanted.
  }
}
