/** What a SIGKILLed owner left behind. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { basename } from 'node:path';
import { CgroupError } from '../error/index.js';
import { errnoOf } from '../host/cgroup-files.js';
import type { ProcessControl } from '../host/process-control.js';
import type { ScopePlace } from '../host/scope-places.js';
import { markersIn } from './marker.js';
import { currentOwner, type Owner, ownerIsDead, parseOwner } from './owner.js';
import { DEFAULT_SLICE } from './path.js';
import { killCgroup, removeTree } from './remove.js';
import { removeSliceIfOurs } from './slice.js';

export interface StaleScope {
  readonly cgroupPath: string;
  /** The pid that had made it. */
  readonly ownerPid: number;
  /** Why it could not be removed; null when it was. */
  readonly error: CgroupError | null;
}

export interface CleanOptions {
  readonly control: ProcessControl | null;
  readonly slice?: string;
}

const SCOPE_NAME = /^episode-[A-Za-z0-9_-]{1,128}\.scope$/;

/**
 * Removes exactly the scopes (and markers) whose owner is dead, with the processes that still run in them. A
 * scope without a mark, or with the mark of a living owner, is not touched. Returns what it found.
 *
 * Without the addon nobody can read an xattr, and a dead owner's marker is all there is to go by. It is that of
 * this very scope: whoever makes a scope removes the dead markers of its id first.
 */
export async function cleanStaleScopes(
  places: readonly ScopePlace[],
  { control, slice = DEFAULT_SLICE }: CleanOptions,
): Promise<StaleScope[]> {
  const found: StaleScope[] = [];
  for (const { parent } of places) {
    const slicePath = `${parent}/${slice}`;
    const names = namesIn(slicePath);
    if (names === null) continue;
    const dead = leftovers(slicePath, names, control);
    for (const leftover of dead) {
      const error = await removeStale(leftover, control);
      const { path, owner } = leftover;
      if (isScopeName(basename(path)) || error !== null) {
        found.push({ cgroupPath: path, ownerPid: owner.pid, error });
      }
    }
    if (dead.length > 0) removeSliceIfOurs(slicePath, control);
  }
  return found;
}

/** The scopes of dead owners, without touching them. */
export function findStaleScopes(
  places: readonly ScopePlace[],
  { control, slice = DEFAULT_SLICE }: CleanOptions,
): Omit<StaleScope, 'error'>[] {
  return places.flatMap(({ parent }) => {
    const slicePath = `${parent}/${slice}`;
    return leftovers(slicePath, namesIn(slicePath) ?? [], control)
      .filter(({ path }) => isScopeName(basename(path)))
      .map(({ path, owner }) => ({ cgroupPath: path, ownerPid: owner.pid }));
  });
}

function isScopeName(name: string): boolean {
  return SCOPE_NAME.test(name);
}

interface Leftover {
  readonly path: string;
  readonly owner: Owner;
  /** The marker that says so of a scope without a mark of its own. */
  readonly markerPath: string | null;
}

/** What is to be removed, every scope before its marker. */
function leftovers(
  slicePath: string,
  names: readonly string[],
  control: ProcessControl | null,
): Leftover[] {
  const here = currentOwner();
  const markers = markersIn(slicePath, names, here);
  const scopes = names.filter(isScopeName).flatMap((name): Leftover[] => {
    const path = `${slicePath}/${name}`;
    const mark = markOf(path, control);
    if (mark !== null) {
      return ownerIsDead(mark, here) ? [{ path, owner: mark, markerPath: null }] : [];
    }
    // A living owner's marker says more than a dead one's, which may be older than the scope.
    const own = markers.filter(({ id }) => name === `episode-${id}.scope`);
    const [marker] = own;
    if (marker === undefined || own.some(({ dead }) => !dead)) return [];
    return [{ path, owner: marker.owner, markerPath: marker.path }];
  });
  const dead = markers
    .filter((marker) => marker.dead)
    .map(({ path, owner }) => ({ path, owner, markerPath: null }));
  return [...scopes, ...dead];
}

function markOf(path: string, control: ProcessControl | null): Owner | null {
  const text = control?.getOwnerMark(path) ?? null;
  return text === null ? null : parseOwner(text);
}

/**
 * The kill goes through a descriptor of the very directory whose mark was read: another cleaner may have removed
 * it by now, and a new owner may have made one of the same name, which must live.
 */
async function removeStale(
  { path, owner, markerPath }: Leftover,
  control: ProcessControl | null,
): Promise<CgroupError | null> {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT') return null;
    return new CgroupError('ERR_SCOPE_BUSY', `cannot open ${path} (${errno})`, { errno, cause });
  }
  try {
    const pinned = `/proc/self/fd/${fd}/.`;
    const mark = markOf(pinned, control);
    if (mark !== null && (mark.pid !== owner.pid || mark.startTicks !== owner.startTicks)) {
      return null;
    }
    // The new owner of a scope removes the dead markers of its id first: what is pinned may be its.
    if (markerPath !== null && !existsSync(markerPath)) return null;
    await killCgroup(pinned);
    if (statSync(path).ino === fstatSync(fd).ino) await removeTree(path);
    return null;
  } catch (cause) {
    const errno = cause instanceof CgroupError ? cause.errno : errnoOf(cause);
    if (errno === 'ENOENT') return null;
    const why = errno ?? 'it still has processes after SIGKILL';
    return new CgroupError('ERR_SCOPE_BUSY', `cannot remove ${path} (${why})`, { errno, cause });
  } finally {
    closeSync(fd);
  }
}

function namesIn(directory: string): string[] | null {
  try {
    return readdirSync(directory);
  } catch {
    return null;
  }
}
