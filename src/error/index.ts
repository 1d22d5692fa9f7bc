/** Every error of the package, and the one way to check a number. */
export type { BudgetResource } from '../schema/enumerations.js';
export {
  type BudgetEstimateFields,
  BudgetExhaustedError,
  type BudgetExhaustedFields,
} from './budget-error.js';
export type * from './codes.js';
export { CgroupError, ProcError } from './kernel-error.js';
export {
  assertBoolean,
  assertObject,
  assertOneOf,
  assertOptions,
  assertPath,
  assertSignal,
  invalidConfig,
  isKeyed,
  type OptionKeys,
} from './options.js';
export { RecordingError } from './recording-error.js';
export { ReviewerTelemetryError } from './reviewer-error.js';
export {
  OutOfRangeError,
  outOfRange,
  TelemetryError,
  type TelemetryErrorDetail,
} from './telemetry-error.js';
export { finiteNumber, wholeNumber } from './whole-number.js';
