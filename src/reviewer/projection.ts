/** Reads the events of one pull request from a reviewer log. */
import { resolve } from 'node:path';
import {
  assertOptions,
  assertSignal,
  finiteNumber,
  invalidConfig,
  type OptionKeys,
  outOfRange,
  ReviewerTelemetryError,
  TelemetryError,
  wholeNumber,
} from '../error/index.js';
import { errnoOf } from '../kernel/errno.js';
import { LongLine, linesOf, type RawLine } from '../ndjson/line-reader.js';
import { messageOf } from '../realm/index.js';
import { MAX_REVIEWER_LINE_BYTES } from '../schema/bounds.js';
import { isCutShort } from './cut-short.js';
import { ReviewerTelemetryHealth } from './health.js';
import { lifecycleEventOfLine, membersOf } from './lifecycle-event.js';
import { assertLogPath } from './paths.js';
import { epochSecondsOf } from './rfc3339.js';
import { MAX_U32, type ReviewerEventObject, type ReviewerLifecycleEvent } from './schema.js';
import { closeStream, ioError, openStream, type StreamFile } from './stream-view.js';

const DEFAULT_MAX_EVENTS = 400;

export interface ReviewerProjectionFilter {
  readonly prNumber: number;
  /** Compared without regard to case. */
  readonly headSha?: string | undefined;
  /** Selects events at or after this time, in seconds since 1970. */
  readonly sinceEpoch?: number | undefined;
  /** The number of newest events to keep. Default 400. */
  readonly maxEvents?: number | undefined;
  /** Aborts the read with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const FILTER: OptionKeys<ReviewerProjectionFilter> = {
  prNumber: true,
  headSha: true,
  sinceEpoch: true,
  maxEvents: true,
  signal: true,
};

/** An event, typed and as the canonical object of its line. */
export interface ReviewerProjectionEvent {
  readonly lifecycle: ReviewerLifecycleEvent;
  readonly raw: ReviewerEventObject;
}

export interface ReviewerProjectionRead {
  /** In the order of the log, the newest last. */
  readonly events: readonly ReviewerProjectionEvent[];
  /** The highest seq of all events that pass the filter, kept or not; 0 if there are none. */
  readonly latestSeq: bigint;
  readonly health: ReviewerTelemetryHealth;
}

/**
 * Reads the rotated file and then the log itself, as they are at this moment, even while others write; holds only the
 * kept events and one line in memory. Skips blank lines, objects that are not lifecycle events, and a last line that is
 * an event cut short, as a writer leaves it that is still writing or was killed.
 *
 * Throws `ERR_INVALID_CONFIG`, `ERR_OUT_OF_RANGE`; `ERR_REVIEWER_MISSING`; `ERR_REVIEWER_MALFORMED`, with the `path`
 * and `line`, for anything else; `ERR_REVIEWER_IO`. `ReviewerTelemetryHealth.ofError` converts these to a health.
 */
export async function readReviewerProjectionEvents(
  path: string,
  filter: ReviewerProjectionFilter,
): Promise<ReviewerProjectionRead> {
  const projection = new Projection(filter);
  const absolute = resolve(assertLogPath(path));
  const { signal } = filter;
  signal?.throwIfAborted();
  const files = await openStream(absolute);
  try {
    signal?.throwIfAborted();
    for (const file of files) await projection.read(file);
    signal?.throwIfAborted();
    return projection.result();
  } finally {
    await closeStream(files);
  }
}

class Projection {
  readonly #prNumber: number;
  readonly #headSha: string | null;
  readonly #sinceEpoch: number;
  readonly #maxEvents: number;
  readonly #signal: AbortSignal | undefined;
  /** A circular buffer of the newest events, beginning at `#oldest`. */
  readonly #kept: ReviewerLifecycleEvent[] = [];
  #oldest = 0;
  #latestSeq = 0n;

  constructor(filter: ReviewerProjectionFilter) {
    assertOptions('the filter', filter, FILTER);
    const { prNumber, headSha, sinceEpoch, maxEvents = DEFAULT_MAX_EVENTS, signal } = filter;
    this.#prNumber = Number(wholeNumber('prNumber', prNumber));
    if (this.#prNumber > MAX_U32) throw outOfRange('prNumber', prNumber, `must be ≤ ${MAX_U32}`);
    if (headSha !== undefined && typeof headSha !== 'string') {
      throw invalidConfig('headSha must be a string');
    }
    assertSignal(signal);
    this.#headSha = headSha === undefined ? null : asciiLowerCase(headSha);
    this.#sinceEpoch =
      sinceEpoch === undefined ? -Infinity : finiteNumber('sinceEpoch', sinceEpoch);
    this.#maxEvents = Number(wholeNumber('maxEvents', maxEvents));
    if (this.#maxEvents === 0) throw outOfRange('maxEvents', maxEvents, 'must be at least 1');
    this.#signal = signal;
  }

  async read(file: StreamFile): Promise<void> {
    /** The error of a line cut short, thrown only if another line follows. */
    let cutShort: ReviewerTelemetryError | null = null;
    try {
      for await (const line of linesOf(file.handle, MAX_REVIEWER_LINE_BYTES, file.size)) {
        this.#signal?.throwIfAborted();
        if (isBlank(line.bytes)) continue;
        if (cutShort !== null) throw cutShort;
        try {
          this.#take(line);
        } catch (cause) {
          const error = malformed(file, line.number, cause);
          if (!file.isCurrent || !isCutShort(line.bytes)) throw error;
          cutShort = error;
        }
      }
    } catch (cause) {
      if (cause instanceof LongLine) throw malformed(file, cause.number, cause);
      if (cause instanceof TelemetryError || this.#signal?.aborted) throw cause;
      throw ioError(file.path, file.path, errnoOf(cause), cause);
    }
  }

  result(): ReviewerProjectionRead {
    const kept = [...this.#kept.slice(this.#oldest), ...this.#kept.slice(0, this.#oldest)];
    const events = kept.map((lifecycle) => ({
      lifecycle,
      raw: Object.fromEntries(membersOf(lifecycle)),
    }));
    const health = ReviewerTelemetryHealth.present(events.length);
    return { events, latestSeq: this.#latestSeq, health };
  }

  #take({ bytes }: RawLine): void {
    const event = lifecycleEventOfLine(bytes);
    if (event === null || !this.#passes(event)) return;
    if (event.seq > this.#latestSeq) this.#latestSeq = event.seq;
    if (this.#kept.length < this.#maxEvents) {
      this.#kept.push(event);
    } else {
      this.#kept[this.#oldest] = event;
      this.#oldest = (this.#oldest + 1) % this.#maxEvents;
    }
  }

  #passes({ prNumber, headSha, ts }: ReviewerLifecycleEvent): boolean {
    if (prNumber !== this.#prNumber) return false;
    if (this.#headSha !== null && asciiLowerCase(headSha) !== this.#headSha) return false;
    return this.#sinceEpoch === -Infinity || (epochSecondsOf(ts) ?? -Infinity) >= this.#sinceEpoch;
  }
}

function malformed({ path }: StreamFile, line: number, cause: unknown): ReviewerTelemetryError {
  const why = messageOf(cause);
  return new ReviewerTelemetryError('ERR_REVIEWER_MALFORMED', `${path}:${line}: ${why}`, {
    path,
    file: path,
    line,
    cause,
  });
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
