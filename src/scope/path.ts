import { assertEpisodeId } from '../episode/id.js';
import { CgroupError } from '../error/index.js';
import { MAX_CGROUP_PATH_LEN } from '../schema/bounds.js';
import { isSliceName, sliceDirectories } from './slice-name.js';

export const DEFAULT_CGROUP_ROOT = '/sys/fs/cgroup';
export const DEFAULT_SLICE = 'episcope.slice';

/**
 * The cgroup directory of an episode: `<root>/<slice>/episode-<id>.scope`, where a slice with dashes lies as systemd has
 * it: `my-jobs.slice` is `my.slice/my-jobs.slice`. Nothing is opened; the readers and the scope check what the path leads
 * to.
 *
 * Throws `ERR_INVALID_EPISODE_ID` for the id, `CgroupError` `ERR_CGROUP_PATH` for a root that is not
 * absolute, a `..` component, a NUL, a slice that is no slice name, or more than 4096 bytes.
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

/** The name of its directory, and of its unit. */
export function scopeName(id: string): string {
  return `episode-${id}.scope`;
}

/** Throws `ERR_CGROUP_PATH` unless `slice` names one. */
function assertSlice(slice: string): void {
  if (isSliceName(slice)) return;
  throw refused(
    'a slice is a name of [A-Za-z0-9_.:\\-] that ends in .slice, each dash of it between two other characters',
    slice,
  );
}

/** The root without its trailing slashes (`''` for `/`), or `ERR_CGROUP_PATH`. */
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
