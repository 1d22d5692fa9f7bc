/** The public API, one folder per concept. */
export * from './budget/index.js';
export * from './collector/index.js';
export type { EngineName } from './engine/engine.js';
export type { EngineChoice } from './engine/select.js';
export type * from './error/codes.js';
export { TelemetryError, type TelemetryErrorDetail } from './error/index.js';
export * from './error/layer-errors.js';
export * from './frame/index.js';
export { type CgroupMode, type HostOptions, isCgroupV2Available } from './host/index.js';
export * from './policy/index.js';
export * from './readers/index.js';
export * from './recorder/index.js';
export * from './reviewer/index.js';
export type { BudgetResource, ExhaustAction, Tier, TripMetric } from './schema/enumerations.js';
export * from './scope/public.js';
export {
  CpuStats,
  type CpuStatsInit,
  IoStats,
  type IoStatsInit,
  MemoryStats,
  type MemoryStatsInit,
  ResourceStats,
  type ResourceStatsInit,
} from './stats/index.js';
