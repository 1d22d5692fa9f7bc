/** Making a scope by direct cgroup writes. */
import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { CgroupError } from '../error/index.js';
import { errnoOf, readWords } from '../host/cgroup-files.js';
import type { ProcessControl } from '../host/process-control.js';
import type { ScopePlace } from '../host/scope-places.js';
import { enableControllers } from './controllers.js';
import { markerName, markersIn } from './marker.js';
import { currentOwner, formatOwner, type Owner } from './owner.js';
import { DEFAULT_SLICE, episodeCgroupPath } from './path.js';
import { makeSlice, removeSliceIfOurs } from './slice.js';

/** A scope of this process, empty until the command moves in. */
export interface DirectScope {
  readonly id: string;
  readonly cgroupPath: string;
  readonly slicePath: string;
  /** What the scope really has: `cgroup.controllers`. */
  readonly controllers: readonly string[];
  /** The marker directory, where the mark could not be an xattr. */
  readonly markerPath: string | null;
}

export interface CreateOptions {
  readonly control: ProcessControl | null;
  readonly slice?: string;
}

/** How often a slice may vanish under us because another run was the last to leave it. */
const SLICE_ATTEMPTS = 20;

/**
 * Makes `<place>/<slice>/episode-<id>.scope` and marks it as ours. On failure everything that was made is
 * removed again, but controllers stay enabled in the ancestors.
 *
 * Throws `CgroupError` `ERR_SCOPE_EXISTS`, or `ERR_SCOPE_CREATE` with the errno and the file.
 */
export function createScope(id: string, place: ScopePlace, options: CreateOptions): DirectScope {
  const slice = options.slice ?? DEFAULT_SLICE;
  const cgroupPath = episodeCgroupPath(id, place.parent, slice);
  const slicePath = cgroupPath.slice(0, cgroupPath.lastIndexOf('/'));
  for (let attempt = 1; ; attempt += 1) {
    try {
      return createIn(place.parent, slicePath, cgroupPath, id, options.control);
    } catch (cause) {
      const failure = asCgroupError(cause, cgroupPath);
      removeSliceIfOurs(slicePath, options.control);
      if (failure.errno !== 'ENOENT' || attempt === SLICE_ATTEMPTS) throw failure;
    }
  }
}

function createIn(
  parent: string,
  slicePath: string,
  cgroupPath: string,
  id: string,
  control: ProcessControl | null,
): DirectScope {
  enableControllers(parent);
  makeSlice(slicePath, control);
  enableControllers(slicePath);
  const undo: string[] = [];
  const make = (directory: string): void => {
    mkdirSync(directory);
    undo.unshift(directory);
  };
  const owner = currentOwner();
  if (!existsSync(cgroupPath)) removeDeadMarkers(slicePath, id, owner);
  let markerPath: string | null = null;
  const makeMarker = (): void => {
    markerPath = `${slicePath}/${markerName(owner, id)}`;
    make(markerPath);
  };
  try {
    if (control === null) makeMarker();
    make(cgroupPath);
    if (control !== null && control.setOwnerMark(cgroupPath, formatOwner(owner)) !== null) {
      makeMarker();
    }
    const type = readWords(`${cgroupPath}/cgroup.type`)?.join(' ') ?? 'domain';
    if (type !== 'domain') {
      throw new CgroupError('ERR_SCOPE_CREATE', `${cgroupPath} would be '${type}', not 'domain'`, {
        file: cgroupPath,
      });
    }
    const controllers = readWords(`${cgroupPath}/cgroup.controllers`) ?? [];
    return { id, cgroupPath, slicePath, controllers, markerPath };
  } catch (cause) {
    for (const directory of undo) quietly(() => rmdirSync(directory));
    throw cause;
  }
}

/** A dead owner's marker must not speak for the scope that is made now: a cleaner would kill it. */
function removeDeadMarkers(slicePath: string, id: string, here: Owner): void {
  for (const marker of markersIn(slicePath, readdirSync(slicePath), here)) {
    if (marker.dead && marker.id === id) quietly(() => rmdirSync(marker.path));
  }
}

function asCgroupError(cause: unknown, cgroupPath: string): CgroupError {
  if (cause instanceof CgroupError) return cause;
  const errno = errnoOf(cause);
  const path = cause instanceof Error && 'path' in cause ? String(cause.path) : cgroupPath;
  // The scope, or our own marker for it.
  if (errno === 'EEXIST') {
    return new CgroupError('ERR_SCOPE_EXISTS', `there is already a scope at ${cgroupPath}`, {
      errno,
      file: cgroupPath,
      cause,
    });
  }
  return new CgroupError('ERR_SCOPE_CREATE', `cannot make ${path} (${errno})`, {
    errno,
    file: path,
    cause,
  });
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // Best effort: the failure that is told is the one that led to an undo, and others remove markers too.
  }
}
