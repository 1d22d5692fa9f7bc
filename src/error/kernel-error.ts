import { brand } from '../realm/index.js';
import type { CgroupErrorCode, ProcErrorCode } from './codes.js';
import { TelemetryError, type TelemetryErrorDetail } from './telemetry-error.js';

/** A cgroup could not be found, read, made or removed. `file` is the kernel file or the directory. */
export class CgroupError extends TelemetryError {
  declare readonly code: CgroupErrorCode;

  static {
    CgroupError.prototype.name = 'CgroupError';
    brand(CgroupError.prototype, 'CgroupError');
  }

  constructor(code: CgroupErrorCode, message: string, detail?: TelemetryErrorDetail) {
    super(code, message, detail);
  }
}

/** A process could not be read below `/proc`. `file` is the kernel file. */
export class ProcError extends TelemetryError {
  declare readonly code: ProcErrorCode;

  static {
    ProcError.prototype.name = 'ProcError';
    brand(ProcError.prototype, 'ProcError');
  }

  constructor(code: ProcErrorCode, message: string, detail?: TelemetryErrorDetail) {
    super(code, message, detail);
  }
}
