import { existsSync } from 'node:fs';
import { episodeCgroupPath } from '../episode/cgroup-path.js';
import { CgroupError } from '../error/index.js';
import { findCgroup2Mount, hostFacts, whyNoCgroup2 } from './facts.js';

/**
 * Where to look for the cgroup of an episode: below `root`. By default that is the episode this process runs in if it
 * contains an episode of this id, and the host's cgroup2 mount otherwise.
 *
 * Throws what `episodeCgroupPath` throws, and `ERR_CGROUP_NOT_AVAILABLE` if no cgroup2 is mounted.
 */
export function episodeCgroup(
  id: string,
  root?: string,
  slice?: string,
): { root: string; path: string } {
  const from = root ?? defaultRoot(id, slice);
  if (from === null) {
    throw new CgroupError('ERR_CGROUP_NOT_AVAILABLE', whyNoCgroup2() ?? 'no cgroup2 is mounted');
  }
  const whole = episodeCgroupPath(id, from, slice);
  return { root: from, path: whole.slice(from.replace(/\/+$/, '').length + 1) };
}

function defaultRoot(id: string, slice: string | undefined): string | null {
  const { enclosing } = hostFacts().scopes;
  const isWithin = enclosing !== null && existsSync(episodeCgroupPath(id, enclosing, slice));
  return isWithin ? enclosing : findCgroup2Mount();
}
