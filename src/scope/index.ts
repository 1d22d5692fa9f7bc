/** Scopes: made by systemd or by direct cgroup writes, entered, killed, removed, and cleaned after a dead owner. */

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
export {
  type Launched,
  type LaunchFailure,
  type LaunchOptions,
  launch,
} from './launch.js';
export {
  bestLauncher,
  type Launcher,
  launchHelper,
  perlLauncher,
  SHELL_LAUNCHER,
} from './launcher.js';
export type { CpuQuota, IoMax, OsResourceLimits } from './limits.js';
export { type IoUsage, Scope, type ScopeRemoveOptions, type ScopeStrategy } from './scope.js';
export {
  type ScopedProcess,
  type SpawnDetails,
  spawnHeld,
  spawnInScope,
  spawnScoped,
} from './spawn.js';
export type { SpawnHeldOptions, SpawnInScopeOptions } from './spawn-arguments.js';
export {
  type CleanOptions,
  cleanStaleScopes,
  findStaleScopes,
  placesToClean,
  type StaleScope,
} from './stale.js';
export { busKind } from './unit.js';
