/** Finds and removes what a SIGKILLed owner left behind. */
import { DEFAULT_SLICE, isScopeName, scopeName } from '../episode/cgroup-path.js';
import { CgroupError, TelemetryError } from '../error/index.js';
import type { HostFacts } from '../host/index.js';
import { type Directories, directories } from '../kernel/directories.js';
import { errnoOf, throwShortage } from '../kernel/errno.js';
import { markersIn } from './marker.js';
import { currentOwner, type Owner, ownerIsDead, parseOwner } from './owner.js';
import { PinnedCgroup, using } from './pinned-cgroup.js';
import { killCgroup, removeTree } from './remove.js';
import { openSliceIfAny, removeSliceIfOurs } from './slice.js';

export interface StaleScope {
  readonly cgroupPath: string;
  /** The pid of its creator. */
  readonly ownerPid: number;
  /** Why it could not be removed; null if it was. */
  readonly error: CgroupError | null;
}

export interface CleanOptions {
  readonly slice?: string | undefined;
  /** @internal */
  readonly directories?: Directories;
}

/** Where scopes of this user may lie: where direct writes can create them, and below the user's own systemd. */
export function placesToClean({ cgroup2, scopes }: HostFacts): string[] {
  const parents = scopes.places.map(({ parent }) => parent);
  const uid = process.geteuid?.() ?? 0;
  if (cgroup2 === null || uid === 0) return parents;
  const manager = `${cgroup2.mountPoint}/user.slice/user-${uid}.slice/user@${uid}.service`;
  return parents.includes(manager) ? parents : [...parents, manager];
}

/**
 * Removes exactly the scopes (and markers) whose owner is dead, with the processes that still run in them. A
 * scope without a mark, or with the mark of a living owner, is not touched; one that contains this process is reported
 * as `ERR_SCOPE_BUSY` and kept. `parents` contain the slice; remaining scopes may contain one too, because a process in
 * a scope creates its own scopes beneath. Returns what it found.
 *
 * Without the addon, xattrs cannot be read, and a dead owner's marker is the only evidence. It belongs to this very
 * scope, because the creator of a scope first removes the dead markers of its id.
 */
export async function cleanStaleScopes(
  parents: readonly string[],
  options: CleanOptions = {},
): Promise<StaleScope[]> {
  const found: StaleScope[] = [];
  const name = options.slice ?? DEFAULT_SLICE;
  for (const parent of parents) {
    await withSlice(parent, options, async (root, slice) => {
      const dead = leftovers(slice);
      // If the scope could not be removed, its marker must stay to identify its owner.
      const kept = new Set<string | null>();
      for (const leftover of dead) {
        if (kept.has(leftover.name)) continue;
        const error = await removeStale(slice, leftover);
        if (error !== null) kept.add(leftover.marker);
        if (isScopeName(leftover.name) || error !== null) found.push(stale(slice, leftover, error));
      }
      found.push(...(await cleanStaleScopes(scopesIn(slice), options)));
      if (dead.length > 0) await removeSliceIfOurs(root, name);
    });
  }
  return found;
}

/** Lists the scopes of dead owners without touching them. */
export async function findStaleScopes(
  parents: readonly string[],
  options: CleanOptions = {},
): Promise<Omit<StaleScope, 'error'>[]> {
  const found: Omit<StaleScope, 'error'>[] = [];
  for (const parent of parents) {
    await withSlice(parent, options, async (_, slice) => {
      for (const leftover of leftovers(slice)) {
        const { cgroupPath, ownerPid } = stale(slice, leftover, null);
        if (isScopeName(leftover.name)) found.push({ cgroupPath, ownerPid });
      }
      found.push(...(await findStaleScopes(scopesIn(slice), options)));
    });
  }
  return found;
}

/** Does nothing if there is no such slice or it may not be opened. Throws if no descriptor is left for the check. */
async function withSlice(
  parent: string,
  options: CleanOptions,
  use: (root: PinnedCgroup, slice: PinnedCgroup) => Promise<void>,
): Promise<void> {
  let root: PinnedCgroup;
  try {
    root = PinnedCgroup.open(parent, options.directories ?? directories());
  } catch (cause) {
    throwShortage(cause, parent);
    return;
  }
  await using(root, async () => {
    let slice: PinnedCgroup | null;
    try {
      slice = openSliceIfAny(root, options.slice ?? DEFAULT_SLICE);
    } catch (cause) {
      throwShortage(cause, root.path);
      return;
    }
    if (slice !== null) await using(slice, (there) => use(root, there));
  });
}

/** The paths of the scopes in the slice, in which processes may have created their own scopes. */
function scopesIn(slice: PinnedCgroup): string[] {
  return namesIn(slice)
    .filter(isScopeName)
    .map((name) => `${slice.path}/${name}`);
}

interface Leftover {
  readonly name: string;
  readonly owner: Owner;
  /** The mark that names the owner; null if it has none. */
  readonly mark: string | null;
  /** The marker that names the owner of a scope without its own mark. */
  readonly marker: string | null;
}

function stale(
  slice: PinnedCgroup,
  { name, owner }: Leftover,
  error: CgroupError | null,
): StaleScope {
  return { cgroupPath: `${slice.path}/${name}`, ownerPid: owner.pid, error };
}

/** What must be removed, every scope before its marker. */
function leftovers(slice: PinnedCgroup): Leftover[] {
  const here = currentOwner();
  const names = namesIn(slice);
  const markers = markersIn(names, here);
  const scopes = names.filter(isScopeName).flatMap((name): Leftover[] => {
    const mark = markOfChild(slice, name);
    if (mark !== null) {
      const owner = parseOwner(mark);
      if (owner === null || !ownerIsDead(owner, here)) return [];
      return [{ name, owner, mark, marker: null }];
    }
    // A living owner's marker overrides a dead one's, which may be older than the scope.
    const own = markers.filter(({ id }) => name === scopeName(id));
    const [marker] = own;
    const owner = marker?.deadOwner ?? null;
    if (marker === undefined || owner === null) return [];
    if (own.some(({ deadOwner }) => deadOwner === null)) return [];
    return [{ name, owner, mark: null, marker: marker.name }];
  });
  const dead = markers.flatMap(({ name, deadOwner }): Leftover[] =>
    deadOwner === null ? [] : [{ name, owner: deadOwner, mark: null, marker: null }],
  );
  return [...scopes, ...dead];
}

function namesIn(slice: PinnedCgroup): string[] {
  try {
    return slice.childNames();
  } catch (cause) {
    throwShortage(cause, slice.path);
    return [];
  }
}

/** Returns null if it has none, or it cannot be read here. */
function markOfChild(slice: PinnedCgroup, name: string): string | null {
  let cgroup: PinnedCgroup | null;
  try {
    cgroup = slice.childIfAny(name);
  } catch (cause) {
    throwShortage(cause, `${slice.path}/${name}`);
    return null;
  }
  if (cgroup === null) return null;
  const mark = cgroup.ownerMark();
  cgroup.close();
  return mark;
}

/**
 * The kill goes through a descriptor of the very directory whose mark was read: another cleaner may have removed
 * it by now, and a new owner may have created one of the same name, which must not be killed.
 */
async function removeStale(
  slice: PinnedCgroup,
  { name, mark, marker }: Leftover,
): Promise<CgroupError | null> {
  const path = `${slice.path}/${name}`;
  try {
    const cgroup = slice.childIfAny(name);
    if (cgroup === null) return null;
    await using(cgroup, async () => {
      if (cgroup.ownerMark() !== mark) return;
      // The new owner of a scope first removes the dead markers of its id: the pinned scope may be the new owner's.
      if (marker !== null && !namesIn(slice).includes(marker)) return;
      await killCgroup(cgroup);
      const again = slice.childIfAny(name);
      if (again === null) return;
      again.close();
      if (again.identity === cgroup.identity) await removeTree(slice, name);
    });
    return null;
  } catch (cause) {
    if (cause instanceof TelemetryError && cause.code === 'ERR_INVALID_CONFIG') {
      return new CgroupError('ERR_SCOPE_BUSY', cause.message, { file: path, cause });
    }
    const errno = cause instanceof CgroupError ? cause.errno : errnoOf(cause);
    if (errno === 'ENOENT') return null;
    const why = errno ?? 'it still has processes after SIGKILL';
    return new CgroupError('ERR_SCOPE_BUSY', `cannot remove ${path} (${why})`, { errno, cause });
  }
}
