/** `episcope/scope`: gives episodes their own cgroups, and starts commands in them. */

export type * from '../error/codes.js';
export {
  CgroupError,
  ProcError,
  TelemetryError,
  type TelemetryErrorDetail,
} from '../error/index.js';
export {
  type CpuQuota,
  createEpisodeScope,
  episodeCgroupPath,
  type IoMax,
  type IoUsage,
  type OsResourceLimits,
  type RemoveScopeOptions,
  removeEpisodeScope,
  Scope,
  type ScopedProcess,
  type ScopeOptions,
  type ScopePlaceOptions,
  type ScopeRemoveOptions,
  type ScopeStrategy,
  type ScopeStrategyChoice,
  type SpawnHeldOptions,
  type SpawnInScopeOptions,
  spawnHeld,
  spawnInScope,
} from './index.js';
