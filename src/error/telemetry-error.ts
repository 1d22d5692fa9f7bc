import { brand, isInstanceOf } from '../realm/index.js';
import type { ErrorCode } from './codes.js';

/** What an error carries besides its code and message; absent values are omitted. */
export interface TelemetryErrorDetail {
  /** The symbolic errno (`'EACCES'`), if the kernel returned one. */
  readonly errno?: string | null | undefined;
  /** The file it is about. */
  readonly file?: string | null | undefined;
  readonly cause?: unknown;
}

/** The base of everything this package throws. Match by `code`, never by the message. */
export class TelemetryError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: Code;
  /** The symbolic errno (`'EACCES'`), if the kernel returned one. */
  declare readonly errno?: string;
  /** The file it is about. */
  declare readonly file?: string;

  static {
    TelemetryError.prototype.name = 'TelemetryError';
    brand(TelemetryError.prototype, 'TelemetryError');
  }

  constructor(code: Code, message: string, detail: TelemetryErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    if (detail.errno != null) this.errno = detail.errno;
    if (detail.file != null) this.file = detail.file;
  }

  /**
   * The error for an argument out of range must be both a `RangeError`, which Node.js users catch, and a
   * `TelemetryError`, like every error of this package. A class has one parent, so the base class also
   * recognizes `OutOfRangeError` (subclasses do not: a range error is not a `CgroupError`). Errors of other
   * evaluations of the package are recognized too, because a sink or a callback may throw one.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: subclasses inherit this, and each answers for itself
    if (this === TelemetryError && isInstanceOf(OutOfRangeError, value)) return true;
    // biome-ignore lint/complexity/noThisInStatic: as above
    return isInstanceOf(this, value);
  }
}

/** A `RangeError` that is `instanceof TelemetryError` too, always with the code `ERR_OUT_OF_RANGE`. */
export class OutOfRangeError extends RangeError implements TelemetryError {
  readonly code = 'ERR_OUT_OF_RANGE';
  declare readonly errno?: string;
  declare readonly file?: string;

  static {
    OutOfRangeError.prototype.name = 'RangeError';
    brand(OutOfRangeError.prototype, 'OutOfRangeError');
  }
}

/** The error for the argument `name`: `why` completes “`name` (value) …”, as in “must be at least 1”. */
export function outOfRange(name: string, value: unknown, why: string): OutOfRangeError {
  return new OutOfRangeError(`${name} ${why}, got ${show(value)}`);
}

function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 64));
  return typeof value === 'object' || typeof value === 'function' ? typeof value : String(value);
}
