/** Scopes: created by systemd or by direct cgroup writes, entered, killed, removed, cleaned up after a dead owner. */

export { DEFAULT_CGROUP_ROOT, DEFAULT_SLICE, episodeCgroupPath } from '../episode/cgroup-path.js';
export {
  createEpisodeScope,
  type RemoveScopeOptions,
  removeEpisodeScope,
  SCOPE_STRATEGIES,
  type ScopeOptions,
  type ScopePlaceOptions,
  type ScopeStrategyChoice,
  untilCleaned,
} from './episode-scope.js';
export { killDescendants } from './kill-tree.js';
export * from './launch.js';
export * from './launcher.js';
export type { CpuQuota, IoMax, OsResourceLimits } from './limits.js';
export { type IoUsage, Scope, type ScopeRemoveOptions, type ScopeStrategy } from './scope.js';
export * from './spawn.js';
export type { SpawnHeldOptions, SpawnInScopeOptions } from './spawn-arguments.js';
export * from './stale.js';
export { busKind } from './unit.js';
