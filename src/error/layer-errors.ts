import { brand } from '../realm/index.js';
import type { BudgetResource } from '../schema/enumerations.js';
import type {
  BudgetErrorCode,
  CgroupErrorCode,
  ProcErrorCode,
  RecordingErrorCode,
  ReviewerErrorCode,
} from './codes.js';
import { TelemetryError, type TelemetryErrorDetail } from './telemetry-error.js';

/** A cgroup could not be found, read, created or removed. `file` is the kernel file or the directory. */
export class CgroupError extends TelemetryError<CgroupErrorCode> {
  static {
    CgroupError.prototype.name = 'CgroupError';
    brand(CgroupError.prototype, 'CgroupError');
  }
}

/** A process could not be read below `/proc`. `file` is the kernel file. */
export class ProcError extends TelemetryError<ProcErrorCode> {
  static {
    ProcError.prototype.name = 'ProcError';
    brand(ProcError.prototype, 'ProcError');
  }
}

/** A recording cannot be written or read, is missing or malformed. `file` is the affected file of the recording. */
export class RecordingError extends TelemetryError<RecordingErrorCode> {
  /** The line of `file` that was refused, counted from 1. */
  declare readonly line?: number;

  static {
    RecordingError.prototype.name = 'RecordingError';
    brand(RecordingError.prototype, 'RecordingError');
  }

  constructor(
    code: RecordingErrorCode,
    message: string,
    detail: TelemetryErrorDetail & { readonly line?: number | undefined } = {},
  ) {
    super(code, message, detail);
    if (detail.line !== undefined) this.line = detail.line;
  }
}

/** The reviewer log is missing, malformed, locked or not writable. */
export class ReviewerTelemetryError extends TelemetryError<ReviewerErrorCode> {
  /** The log's path; for a refused line, the path of its file, which may be the rotated one, `….1`. */
  declare readonly path?: string;
  /** The line that a reader refused, counted from 1. Absent if an append failed with `ERR_REVIEWER_MALFORMED`. */
  declare readonly line?: number;

  static {
    ReviewerTelemetryError.prototype.name = 'ReviewerTelemetryError';
    brand(ReviewerTelemetryError.prototype, 'ReviewerTelemetryError');
  }

  constructor(
    code: ReviewerErrorCode,
    message: string,
    detail: TelemetryErrorDetail & {
      readonly path?: string | undefined;
      readonly line?: number | undefined;
    } = {},
  ) {
    super(code, message, detail);
    if (detail.path !== undefined) this.path = detail.path;
    if (detail.line !== undefined) this.line = detail.line;
  }
}

/**
 * A budget refused a request. `ERR_BUDGET_EXHAUSTED` carries the `requested` and the `remaining` amount,
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
