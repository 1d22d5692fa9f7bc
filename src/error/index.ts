/** Every error of the package, and the checks of numbers. */
export type { BudgetResource } from '../schema/enumerations.js';
export type * from './codes.js';
export * from './layer-errors.js';
export * from './options.js';
export * from './telemetry-error.js';
export * from './whole-number.js';
