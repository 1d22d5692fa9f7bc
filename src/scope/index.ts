/** Scopes by direct cgroup writes: made, entered, killed, removed, and cleaned after a dead owner. */
export { type CreateOptions, createScope, type DirectScope } from './create.js';
export { killDescendants } from './kill-tree.js';
export {
  type Exit,
  type Launched,
  type LaunchFailure,
  type LaunchOptions,
  launch,
  launchHelper,
} from './launch.js';
export { limitMemory, type MemoryLimit } from './limits.js';
export { DEFAULT_CGROUP_ROOT, DEFAULT_SLICE, episodeCgroupPath } from './path.js';
export { killCgroup, removeScope } from './remove.js';
export { type CleanOptions, cleanStaleScopes, findStaleScopes, type StaleScope } from './stale.js';
