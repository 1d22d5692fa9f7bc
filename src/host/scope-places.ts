/** Where the calling process may create scopes. */
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
  /** The directory in which the slice is created. */
  readonly parent: string;
  /** Controllers that a scope gets there. */
  readonly controllers: readonly WantedController[];
}

export interface ScopePlaces {
  /** The scope of the innermost episode that this process runs in; null outside any episode. */
  readonly enclosing: string | null;
  /**
   * In the order to try: the mount's root, then the ancestors of our own cgroup, from the top. A process in an episode
   * creates scopes only beneath that episode's scope, which would neither count nor end them otherwise.
   */
  readonly places: readonly ScopePlace[];
  /** Directories in which no scope can be created, and why. */
  readonly refused: readonly { readonly directory: string; readonly reason: string }[];
}

/** `ownDirectory` is beneath `mountPoint`, or null if our own cgroup is not visible. */
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
  // Moving a process requires write access to cgroup.procs of the common ancestor of source and destination.
  const procs = whyNotWritable(`${directory}/cgroup.procs`);
  if (procs !== null) return `cgroup.procs is not writable (${procs})`;
  const type = existsSync(`${directory}/cgroup.type`)
    ? readWords(`${directory}/cgroup.type`)?.join(' ')
    : 'domain';
  return type === 'domain' ? null : `its type is '${type}', not 'domain'`;
}
