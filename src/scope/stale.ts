/** What a SIGKILLed owner left behind. */
import { closeSync, constants, fstatSync, openSync, readdirSync, statSync } from 'node:fs';
import { CgroupError } from '../error/index.js';
import { errnoOf } from '../host/cgroup-files.js';
import type { ProcessControl } from '../host/process-control.js';
import type { ScopePlace } from '../host/scope-places.js';
import { parseMarkerName } from './marker.js';
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
    const dead = deadOwners(slicePath, names, control);
    for (const [path, owner] of dead) {
      const error = await removeStale(path, owner, control);
      if (isScopePath(path) || error !== null) {
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
    return deadOwners(slicePath, namesIn(slicePath) ?? [], control)
      .filter(([path]) => isScopePath(path))
      .map(([cgroupPath, owner]) => ({ cgroupPath, ownerPid: owner.pid }));
  });
}

function isScopePath(path: string): boolean {
  return SCOPE_NAME.test(path.slice(path.lastIndexOf('/') + 1));
}

/** Paths to remove with their dead owner, every scope before its marker. */
function deadOwners(
  slicePath: string,
  names: readonly string[],
  control: ProcessControl | null,
): [string, Owner][] {
  const here = currentOwner();
  const scopes: [string, Owner][] = [];
  const markers: [string, Owner][] = [];
  for (const name of names) {
    const path = `${slicePath}/${name}`;
    if (SCOPE_NAME.test(name)) {
      const owner = markOf(path, control);
      if (owner !== null && ownerIsDead(owner, here)) scopes.push([path, owner]);
      continue;
    }
    const marker = parseMarkerName(name);
    if (marker === null || !ownerIsDead(marker.owner, here)) continue;
    markers.push([path, marker.owner]);
    const scope = `episode-${marker.id}.scope`;
    // A mark of its own says more than a marker that may be older than the scope.
    if (names.includes(scope) && markOf(`${slicePath}/${scope}`, control) === null) {
      scopes.push([`${slicePath}/${scope}`, marker.owner]);
    }
  }
  return [...scopes, ...markers];
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
  path: string,
  owner: Owner,
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
