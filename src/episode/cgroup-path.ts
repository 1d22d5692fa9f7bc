/** The names of scopes and slices, and where their cgroups are. Nothing here touches the file system. */

import { CgroupError } from '../error/index.js';
import { MAX_CGROUP_PATH_LEN } from '../schema/bounds.js';
import { assertEpisodeId } from './id.js';

export const DEFAULT_CGROUP_ROOT = '/sys/fs/cgroup';
export const DEFAULT_SLICE = 'episcope.slice';

/**
 * The cgroup directory of an episode: `<root>/<slice>/episode-<id>.scope`, where a slice with dashes is nested as in
 * systemd: `my-jobs.slice` is `my.slice/my-jobs.slice`. Nothing is opened; the readers and the scope check what is at
 * the path.
 *
 * Throws `ERR_INVALID_EPISODE_ID` for the id, `CgroupError` `ERR_CGROUP_PATH` for a root that is not
 * absolute, a `..` component, a NUL, an invalid slice name, or more than 4096 bytes.
 */
export function episodeCgroupPath(
  id: string,
  root: string = DEFAULT_CGROUP_ROOT,
  slice: string = DEFAULT_SLICE,
): string {
  assertEpisodeId(id);
  const base = assertCgroupRoot(root);
  assertSlice(slice);
  const path = [base, ...sliceDirectories(slice), scopeName(id)].join('/');
  if (Buffer.byteLength(path) > MAX_CGROUP_PATH_LEN) {
    throw refused(`the path is longer than ${MAX_CGROUP_PATH_LEN} bytes`);
  }
  return path;
}

/** The name of the episode's cgroup directory and of its systemd unit. */
export function scopeName(id: string): string {
  return `episode-${id}.scope`;
}

/** Throws `ERR_CGROUP_PATH` unless `slice` is a slice name. */
function assertSlice(slice: string): void {
  if (isSliceName(slice)) return;
  throw refused(
    'a slice is a name of [A-Za-z0-9_.:\\-] that ends in .slice, each dash of it between two other characters',
    slice,
  );
}

/** Returns the root without its trailing slashes (`''` for `/`), or throws `ERR_CGROUP_PATH`. */
function assertCgroupRoot(root: string): string {
  if (typeof root !== 'string' || !root.startsWith('/')) {
    throw refused('the root must be an absolute path', root);
  }
  if (root.includes('\0')) throw refused('the root must not hold a NUL');
  if (root.split('/').includes('..')) throw refused('the root must not go up with ..', root);
  return root.replace(/\/+$/, '');
}

function refused(why: string, value?: unknown): CgroupError {
  const file = typeof value === 'string' ? value.slice(0, MAX_CGROUP_PATH_LEN) : undefined;
  return new CgroupError('ERR_CGROUP_PATH', why, { file });
}

const SCOPE_NAME = /^episode-[A-Za-z0-9_-]{1,128}\.scope$/;

/** Whether the directory of an episode's scope can have this name. */
export function isScopeName(name: string): boolean {
  return SCOPE_NAME.test(name);
}

/** The root slice: its contents lie directly in the root of the hierarchy. */
const ROOT_SLICE = '-.slice';

const MAX_UNIT_NAME = 255;

/** systemd's rule, except that a leading dot and `..` are refused, because they would be paths. */
const SLICE = /^(?!.*\.\.)[A-Za-z0-9_:\\-][A-Za-z0-9_.:\\-]*\.slice$/;

/** Whether `slice` is a slice name: one component that ends in `.slice`, each dash between two other characters. */
export function isSliceName(slice: unknown): slice is string {
  if (slice === ROOT_SLICE) return true;
  if (typeof slice !== 'string' || slice.length > MAX_UNIT_NAME || !SLICE.test(slice)) return false;
  return !prefixOf(slice).split('-').includes('');
}

/**
 * The directories that lead to a slice, from the root down. Each dash in its name is a level: `my-jobs.slice` is
 * `my.slice/my-jobs.slice`. None for `-.slice`. (`\x2d` is an escaped dash, which is not a level.)
 */
export function sliceDirectories(slice: string): string[] {
  if (slice === ROOT_SLICE) return [];
  const parts = prefixOf(slice).split('-');
  return parts.map((_, level) => escaped(`${parts.slice(0, level + 1).join('-')}.slice`));
}

function prefixOf(slice: string): string {
  return slice.slice(0, -'.slice'.length);
}

/** Names of files that the kernel creates in a cgroup, or may create, and names that systemd has already escaped. */
const KERNEL_NAME =
  /^(?:_|cgroup\.|(?:cpu|cpuacct|cpuset|io|blkio|memory|devices|pids|bpf-(?:firewall|devices|foreign|socket-bind|restrict-network-interfaces|bind-network-interface))\.)/;

function escaped(name: string): string {
  return KERNEL_NAME.test(name) ? `_${name}` : name;
}
