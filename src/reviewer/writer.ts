import { resolve } from 'node:path';
import { loadAddon } from '../addon/load.js';
import { Deadlines, onAbort } from '../async/within.js';
import type { EngineName } from '../engine/engine.js';
import {
  assertBoolean,
  assertObject,
  assertOptions,
  assertSignal,
  invalidConfig,
  type OptionKeys,
  outOfRange,
  ReviewerTelemetryError,
  wholeNumber,
} from '../error/index.js';
import { brand } from '../realm/index.js';
import { MAX_REVIEWER_LINE_BYTES } from '../schema/bounds.js';
import type { EventLog, LogFailure } from './event-log.js';
import { lineOfEvent, lineOfValue } from './lifecycle-event.js';
import { eventLogAt } from './open-log.js';
import { assertLogPath, reviewerEventsLockPath, reviewerEventsRotatedPath } from './paths.js';
import type { ReviewerLifecycleEventInit } from './schema.js';

const DEFAULT_ROTATE_BYTES = 10 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 10_000;
/** Explanations for failures that have no errno. */
const REASONS: { readonly [why in LogFailure['why']]?: string } = {
  'not-regular': 'not a regular file',
  link: 'a symbolic link: give the path it leads to',
};
/** The maximum of Node's timers. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export interface ReviewerTelemetryWriterOptions {
  /** A larger file, in bytes, is renamed to `.1`, replacing that, before the next event is written. Default 10 MiB. */
  readonly rotateBytes?: number | undefined;
  /** Default: the log's path with `.lock`. All writers of a log must agree. */
  readonly lockPath?: string | undefined;
  /** How long an append waits, ms: for the lock, and for the appends before it. Default 10 s. */
  readonly timeoutMs?: number | undefined;
  /**
   * Declares that only one thread of one process writes the log: without the addon there is no lock that the kernel
   * releases with its process. With the addon the lock is taken all the same.
   */
  readonly singleProcess?: boolean | undefined;
}

export interface ReviewerAppendOptions {
  /** Cancels the append while it waits: then nothing of it is written. */
  readonly signal?: AbortSignal | undefined;
}

const WRITER: OptionKeys<ReviewerTelemetryWriterOptions> = {
  rotateBytes: true,
  lockPath: true,
  timeoutMs: true,
  singleProcess: true,
};
const APPEND: OptionKeys<ReviewerAppendOptions> = { signal: true };

/**
 * Appends events to a reviewer log: a file of JSON lines that many processes share, under `flock` on a companion file.
 * Appends that come while others are being synced are written together, with one write and one `fdatasync`; the order
 * of the calls is the order of the lines, also across several writers of one log.
 *
 * No file is held open for long between appends, and there is nothing to close.
 */
export class ReviewerTelemetryWriter {
  /** Absolute. */
  readonly path: string;
  readonly lockPath: string;
  readonly rotateBytes: number;
  readonly timeoutMs: number;
  readonly #log: EventLog;
  readonly #deadlines: Deadlines;

  static {
    brand(ReviewerTelemetryWriter.prototype, 'ReviewerTelemetryWriter');
  }

  /**
   * Touches no file yet. Throws `ERR_INVALID_CONFIG`, `ERR_OUT_OF_RANGE`; `ERR_REVIEWER_LOCK` without the addon, unless
   * `singleProcess` is set.
   */
  constructor(path: string, options?: ReviewerTelemetryWriterOptions);
  /** @internal */
  constructor(path: string, options: ReviewerTelemetryWriterOptions, engine: EngineName);
  constructor(
    path: string,
    options: ReviewerTelemetryWriterOptions = {},
    engine: EngineName = loadAddon().addon === null ? 'js' : 'native',
  ) {
    assertOptions('options', options, WRITER);
    const { rotateBytes = DEFAULT_ROTATE_BYTES, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    assertBoolean('singleProcess', options.singleProcess);
    this.path = resolve(assertLogPath(path));
    const lockPath = options.lockPath ?? reviewerEventsLockPath(this.path);
    this.lockPath = resolve(assertLogPath(lockPath, 'lockPath'));
    if ([this.path, reviewerEventsRotatedPath(this.path)].includes(this.lockPath)) {
      throw invalidConfig('lockPath must be a file of its own: the log is renamed when it is full');
    }
    this.rotateBytes = between('rotateBytes', rotateBytes, 1, Number.MAX_SAFE_INTEGER);
    this.timeoutMs = between('timeoutMs', timeoutMs, 1, MAX_TIMEOUT_MS);
    if (engine === 'js' && options.singleProcess !== true) {
      throw new ReviewerTelemetryError(
        'ERR_REVIEWER_LOCK',
        `${this.path} cannot be locked without the addon; if only one thread of one process writes it, ask for singleProcess`,
        { path: this.path, file: this.lockPath },
      );
    }
    this.#log = eventLogAt(this.path, this.lockPath, engine);
    this.#deadlines = new Deadlines(this.timeoutMs);
  }

  /**
   * Appends an object: a lifecycle event in its canonical form (`canonicalizeReviewerEventValue`), any other unchanged.
   * The value is copied at the call; resolves when its line is on disk.
   *
   * Rejects with `ERR_REVIEWER_INVALID_EVENT`, `ERR_REVIEWER_SERIALIZE` (also for a line of more than 4 MiB),
   * `ERR_INVALID_CONFIG` (of the options), `ERR_REVIEWER_IO`, `ERR_REVIEWER_LOCK` (the lock was not free within
   * `timeoutMs`, or its file system has no locks), `ERR_REVIEWER_MALFORMED` (the file is not such a log), or the
   * signal's reason: nothing of the event is then in the log, as far as the kernel allows removing it.
   */
  append(value: unknown, options: ReviewerAppendOptions = {}): Promise<void> {
    return this.#append(() => lineOfValue(value), options);
  }

  /** Like `append`, for a typed event; further keys must be in `extra`. */
  appendLifecycleEvent(
    event: ReviewerLifecycleEventInit,
    options: ReviewerAppendOptions = {},
  ): Promise<void> {
    return this.#append(() => lineOfEvent(event), options);
  }

  /** Any error thrown in the executor becomes a rejection. */
  #append(lineOf: () => string, options: ReviewerAppendOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = this.#checkedLine(lineOf());
      assertOptions('options', options, APPEND);
      const { signal } = options;
      assertSignal(signal);
      signal?.throwIfAborted();
      const cancel = this.#log.append(`${line}\n`, this.rotateBytes, (failure) => {
        settle();
        if (failure === null) resolve();
        else reject(this.#errorOf(failure));
      });
      const abort = (): void => {
        if (cancel() === 'too-late') return;
        settle();
        reject(signal?.reason);
      };
      const inTime = this.#deadlines.add(() => {
        const waitedFor = cancel();
        if (waitedFor === 'too-late') return;
        settle();
        reject(this.#timedOut(waitedFor));
      });
      const unheard = signal === undefined ? null : onAbort(signal, abort);
      const settle = (): void => {
        inTime();
        unheard?.();
      };
    });
  }

  #checkedLine(line: string): string {
    // A UTF-16 code unit takes at most three bytes in UTF-8.
    const isShort = line.length * 3 <= MAX_REVIEWER_LINE_BYTES;
    const bytes = isShort ? 0 : Buffer.byteLength(line);
    if (bytes <= MAX_REVIEWER_LINE_BYTES) return line;
    throw new ReviewerTelemetryError(
      'ERR_REVIEWER_SERIALIZE',
      `the event's line has ${bytes} bytes, more than ${MAX_REVIEWER_LINE_BYTES}`,
      { path: this.path },
    );
  }

  #timedOut(waitedFor: 'lock' | 'write'): ReviewerTelemetryError {
    if (waitedFor === 'lock') {
      return new ReviewerTelemetryError(
        'ERR_REVIEWER_LOCK',
        `the lock ${this.lockPath} was not free within ${this.timeoutMs} ms`,
        { path: this.path, file: this.lockPath },
      );
    }
    return new ReviewerTelemetryError(
      'ERR_REVIEWER_IO',
      `what was appended to ${this.path} before is not on disk after ${this.timeoutMs} ms`,
      { path: this.path, file: this.path, errno: 'ETIMEDOUT' },
    );
  }

  #errorOf({ file, errno, why }: LogFailure): ReviewerTelemetryError {
    const { path } = this;
    if (why === 'foreign') {
      return new ReviewerTelemetryError(
        'ERR_REVIEWER_MALFORMED',
        `${file} is no reviewer log, or was harmed: it ends within a line that no event begins like; move it away`,
        { path, file },
      );
    }
    if (why === 'lock') {
      return new ReviewerTelemetryError(
        'ERR_REVIEWER_LOCK',
        `${file} cannot be locked (${errno})`,
        { path, file, errno },
      );
    }
    const reason = REASONS[why] ?? errno;
    return new ReviewerTelemetryError('ERR_REVIEWER_IO', `${file} cannot be written (${reason})`, {
      path,
      file,
      errno,
    });
  }
}

/** Appends one event without a writer; takes the options, and throws the errors, of a writer and its `append`. */
export async function appendReviewerEventNdjson(
  path: string,
  value: unknown,
  options: ReviewerTelemetryWriterOptions & ReviewerAppendOptions = {},
): Promise<void> {
  assertObject('options', options);
  const { signal, ...writerOptions } = options;
  await new ReviewerTelemetryWriter(path, writerOptions).append(value, { signal });
}

function between(name: string, value: number, least: number, most: number): number {
  const whole = Number(wholeNumber(name, value));
  if (whole < least || whole > most) throw outOfRange(name, value, `must be ${least} to ${most}`);
  return whole;
}
