import { brand } from '../realm/index.js';
import type { BudgetResource } from '../schema/enumerations.js';
import type { BudgetErrorCode } from './codes.js';
import { TelemetryError } from './telemetry-error.js';

/**
 * A budget said no. `ERR_BUDGET_EXHAUSTED` carries `requested` and what had been `remaining`,
 * `ERR_BUDGET_ESTIMATE` the `estimate` and the `actual` consumption that exceeded it; all in the unit of
 * the resource.
 */
export class BudgetExhaustedError extends TelemetryError<BudgetErrorCode> {
  readonly resource: BudgetResource;
  declare readonly requested?: number;
  declare readonly remaining?: number;
  declare readonly estimate?: number;
  declare readonly actual?: number;

  static {
    BudgetExhaustedError.prototype.name = 'BudgetExhaustedError';
    brand(BudgetExhaustedError.prototype, 'BudgetExhaustedError');
  }

  constructor(code: 'ERR_BUDGET_EXHAUSTED', fields: BudgetExhaustedFields);
  constructor(code: 'ERR_BUDGET_ESTIMATE', fields: BudgetEstimateFields);
  constructor(code: BudgetErrorCode, fields: BudgetExhaustedFields | BudgetEstimateFields) {
    super(
      code,
      'requested' in fields
        ? `the budget of ${fields.resource} is exhausted: ${fields.requested} requested, ${fields.remaining} remaining`
        : `${fields.resource}: ${fields.actual} consumed, more than the estimate of ${fields.estimate}`,
    );
    this.resource = fields.resource;
    if ('requested' in fields) {
      this.requested = fields.requested;
      this.remaining = fields.remaining;
    } else {
      this.estimate = fields.estimate;
      this.actual = fields.actual;
    }
  }
}

export interface BudgetExhaustedFields {
  readonly resource: BudgetResource;
  readonly requested: number;
  readonly remaining: number;
}

export interface BudgetEstimateFields {
  readonly resource: BudgetResource;
  readonly estimate: number;
  readonly actual: number;
}
