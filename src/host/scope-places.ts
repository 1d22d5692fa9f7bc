/** Where the calling process may make scopes. */
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { isScopeName } from '../episode/cgroup-path.js';
import {
  controllersForChildren,
  readWords,
  type WantedController,
  whyNotWritable,
} from '../kernel/cgroup-files.js';

export interface ScopePlace {
  /** The directory beneath which the slice is made. */
  readonly parent: string;
  /** Controllers that a scope gets there. */
  readonly controllers: readonly WantedController[];
}

export interface ScopePlaces {
  /** The scope of the episode that this process lives in, the innermost; null outside of any. */
  readonly enclosing: string | null;
  /**
   * In the order to try: the mount's root, then the ancestors of our own cgroup, from the top. Who lives in an episode
   * makes scopes only beneath that one's, which would neither count nor end them otherwise.
   */
  readonly places: readonly ScopePlace[];
  /** Directories in which no scope can be made, and why. */
  readonly refused: readonly { readonly directory: string; readonly reason: string }[];
}

/** `ownDirectory` is beneath `mountPoint`, or null where our own cgroup is not visible. */
export function scopePlaces(mountPoint: string, ownDirectory: string | null): ScopePlaces {
  const places: ScopePlace[] = [];
  const refused: { directory: string; reason: string }[] = [];
  const ancestors = ancestry(mountPoint, ownDirectory ?? mountPoint);
  const enclosing = ancestors.findLast((each) => isScopeName(posix.basename(each))) ?? null;
  const from = enclosing === null ? 0 : ancestors.indexOf(enclosing);
  for (const directory of ancestors.slice(from)) {
    const reason = whyNotHere(directory);
    if (reason === null) {
      places.push({ parent: directory, controllers: controllersForChildren(directory) });
    } else {
      refused.push({ directory, reason });
    }
  }
  return { enclosing, places, refused };
}

/** From `top` down to `bottom`, both included. */
export function ancestry(top: string, bottom: string): string[] {
  const directories = [top];
  let directory = top;
  for (const name of posix.relative(top, bottom).split('/').filter(Boolean)) {
    directory = posix.join(directory, name);
    directories.push(directory);
  }
  return directories;
}

function whyNotHere(directory: string): string | null {
  const notWritable = whyNotWritable(directory);
  if (notWritable !== null) return `not writable (${notWritable})`;
  // A move needs the right to write cgroup.procs of the cgroup that holds both ends of it.
  const procs = whyNotWritable(`${directory}/cgroup.procs`);
  if (procs !== null) return `cgroup.procs is not writable (${procs})`;
  const type = existsSync(`${directory}/cgroup.type`)
    ? readWords(`${directory}/cgroup.type`)?.join(' ')
    : 'domain';
  return type === 'domain' ? null : `its type is '${type}', not 'domain'`;
}
