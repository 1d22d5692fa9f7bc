import { brand } from '../realm/index.js';
import type { RecordingErrorCode } from './codes.js';
import { TelemetryError, type TelemetryErrorDetail } from './telemetry-error.js';

/** A recording cannot be written or read, is missing or malformed. `file` is the file of it that this is about. */
export class RecordingError extends TelemetryError {
  declare readonly code: RecordingErrorCode;
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
