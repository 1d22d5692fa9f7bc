/** Every error of the package, and the one way to check a number. */
export type { BudgetResource } from '../schema/enumerations.js';
export {
  type BudgetEstimateFields,
  BudgetExhaustedError,
  type BudgetExhaustedFields,
} from './budget-error.js';
export type * from './codes.js';
export { CgroupError, ProcError, RecordingError, ReviewerTelemetryError } from './layer-errors.js';
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
export {
  OutOfRangeError,
  outOfRange,
  TelemetryError,
  type TelemetryErrorDetail,
} from './telemetry-error.js';
export { finiteNumber, wholeNumber } from './whole-number.js';
