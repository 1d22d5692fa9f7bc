import { brand } from '../realm/index.js';
import type { ReviewerErrorCode } from './codes.js';
import { TelemetryError, type TelemetryErrorDetail } from './telemetry-error.js';

/** The reviewer log is missing, malformed, locked or not writable. */
export class ReviewerTelemetryError extends TelemetryError {
  declare readonly code: ReviewerErrorCode;
  /** The log's path; of a line that was refused that of its file, which may be the rotated one, `….1`. */
  declare readonly path?: string;
  /** The line that a reader refused, counted from 1. An append that is `ERR_REVIEWER_MALFORMED` has none. */
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
