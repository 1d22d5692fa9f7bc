import { brand } from '../realm/index.js';
import type {
  CgroupErrorCode,
  ProcErrorCode,
  RecordingErrorCode,
  ReviewerErrorCode,
} from './codes.js';
import { TelemetryError, type TelemetryErrorDetail } from './telemetry-error.js';

/** A cgroup could not be found, read, made or removed. `file` is the kernel file or the directory. */
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

/** A recording cannot be written or read, is missing or malformed. `file` is the file of it that this is about. */
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
