/** Every error of the package, and the one way to check a number. */
export type { BudgetResource } from '../schema/enumerations.js';
export type * from './codes.js';
export * from './layer-errors.js';
export * from './options.js';
export * from './telemetry-error.js';
export * from './whole-number.js';
