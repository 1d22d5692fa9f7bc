/** Names of slices, and where systemd has their cgroups. Pure. */

/** The root of them all: what is in it lies directly in the root of the hierarchy. */
const ROOT_SLICE = '-.slice';

const MAX_UNIT_NAME = 255;

/** As systemd has it, but for a leading dot and for `..`, which would be paths. */
const SLICE = /^(?!.*\.\.)[A-Za-z0-9_:\\-][A-Za-z0-9_.:\\-]*\.slice$/;

/** Whether it names a slice: one component that ends in `.slice`, every dash of it between two other characters. */
export function isSliceName(slice: unknown): slice is string {
  if (slice === ROOT_SLICE) return true;
  if (typeof slice !== 'string' || slice.length > MAX_UNIT_NAME || !SLICE.test(slice)) return false;
  return !prefixOf(slice).split('-').includes('');
}

/**
 * The directories that lead to a slice, from the root down: a dash in its name is a level, so that `my-jobs.slice` is
 * `my.slice/my-jobs.slice`. None for `-.slice`. (`\x2d` is a dash that is none.)
 */
export function sliceDirectories(slice: string): string[] {
  if (slice === ROOT_SLICE) return [];
  const parts = prefixOf(slice).split('-');
  return parts.map((_, level) => escaped(`${parts.slice(0, level + 1).join('-')}.slice`));
}

function prefixOf(slice: string): string {
  return slice.slice(0, -'.slice'.length);
}

/** Names of files that the kernel has in a cgroup, or may have, and what systemd's own escape looks like. */
const KERNEL_NAME =
  /^(?:_|cgroup\.|(?:cpu|cpuacct|cpuset|io|blkio|memory|devices|pids|bpf-(?:firewall|devices|foreign|socket-bind|restrict-network-interfaces|bind-network-interface))\.)/;

function escaped(name: string): string {
  return KERNEL_NAME.test(name) ? `_${name}` : name;
}
