/** Everything public, by idea. */
export * from './budget/index.js';
export * from './collector/index.js';
export {
  type BudgetErrorCode,
  BudgetExhaustedError,
  type BudgetResource,
  CgroupError,
  type CgroupErrorCode,
  type ErrorCode,
  ProcError,
  type ProcErrorCode,
  RecordingError,
  type RecordingErrorCode,
  type ReviewerErrorCode,
  ReviewerTelemetryError,
  TelemetryError,
  type TelemetryErrorCode,
} from './error/index.js';
export * from './frame/index.js';
export { isCgroupV2Available } from './host/index.js';
export * from './policy/index.js';
export * from './readers/index.js';
export * from './recorder/index.js';
export * from './reviewer/index.js';
export type { ExhaustAction, TripMetric } from './schema/enumerations.js';
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
