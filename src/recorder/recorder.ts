import { resolve } from 'node:path';
import type { FrameSink, SinkEntry } from '../collector/frame-sink.js';
import {
  assertObject,
  assertOptions,
  invalidConfig,
  type OptionKeys,
  outOfRange,
  TelemetryError,
  wholeNumber,
} from '../error/index.js';
import { asyncDispose } from '../realm/index.js';
import { assertRecordingPath } from './place.js';
import { type RecordingLimits, RecordingWriter } from './recording-writer.js';

export interface FrameRecorderOptions {
  /**
   * Maximum size of a file, bytes; at least 1, default 64 MiB. A file always holds its header (mostly below 2 KiB) and
   * one more line, even if these exceed the size.
   */
  readonly rotateBytes?: number;
  /** The number of files kept besides the newest: `path.1`, the newest of them, to `path.<keepFiles>`. Default 1. */
  readonly keepFiles?: number;
}

const RECORDER: OptionKeys<FrameRecorderOptions> = { rotateBytes: true, keepFiles: true };

const DEFAULT_ROTATE_BYTES = 64 * 1024 * 1024;
const DEFAULT_KEEP_FILES = 1;

/**
 * Records what a session promotes as NDJSON, schema `episcope.frames.v1`: a header line (session, policy, budget,
 * host), the frames, a `gap` line where frames are missing, a `quarantine` line with its reason, and an `end` line with
 * the totals. `readRecording(path)` reads it back.
 *
 * A file that exists at the start, the recording of an earlier session, is rotated first, and the newest file is
 * rotated once it is full; each file begins with a header of its own. A FIFO, a device or `/dev/stdout` is never
 * rotated. Lines are written whole, after the last whole line: a process that is killed leaves at most one torn line,
 * the last. (Lines are not synced: this protects against a kill, not against a power failure.)
 *
 * A write that fails (`ENOSPC`, `EACCES`, …) rejects with `ERR_RECORDING_IO`; lines already written stay as they are,
 * the next `gap` line counts the frames that were not written, and the next entry tries again.
 *
 * If another process truncated, removed or renamed the file, the recording goes on at the path with a new header, and
 * readers count the missing frames; a file that another process wrote to is rotated as it is. Either is reported once,
 * with `ERR_RECORDING_CHANGED`, after the lines are written. A file that another process put in its place is left
 * alone, unless it is empty: writes reject with `ERR_RECORDING_IO` until it is gone.
 *
 * It records one session at a time, and a path takes one recorder. A start after the end begins a new recording.
 */
export class FrameRecorder implements FrameSink {
  readonly path: string;
  readonly #limits: RecordingLimits;
  #writer: RecordingWriter | null = null;
  #isClosed = false;
  /** Settles after the last entry: entries are written one at a time, even if the caller does not await them. */
  #turn: Promise<void> = Promise.resolve();

  /**
   * Nothing is opened before the start of a session. Throws `ERR_INVALID_CONFIG` (a path that is empty, has a NUL or
   * is not a string; an option of a wrong type), `ERR_OUT_OF_RANGE`.
   */
  constructor(path: string, options: FrameRecorderOptions = {}) {
    assertRecordingPath(path);
    assertOptions('the options of a recorder', options, RECORDER);
    const { rotateBytes = DEFAULT_ROTATE_BYTES, keepFiles = DEFAULT_KEEP_FILES } = options;
    if (wholeNumber('rotateBytes', rotateBytes) < 1n) {
      throw outOfRange('rotateBytes', rotateBytes, 'must be at least 1');
    }
    wholeNumber('keepFiles', keepFiles);
    this.path = resolve(path);
    this.#limits = { rotateBytes: Number(rotateBytes), keepFiles: Number(keepFiles) };
  }

  /**
   * Resolves when the lines are written. Entries are written in call order, awaited or not.
   *
   * Rejects with `ERR_RECORDING_IO` (with `errno` and `file`), `ERR_RECORDING_CHANGED` (the lines are written all the
   * same), `ERR_INVALID_CONFIG` (not an entry, a start before the previous session's end, an entry of a session that
   * is not being recorded), `ERR_STOPPED` (after `close()`).
   */
  write(entry: SinkEntry): Promise<void> {
    return this.#next(() => this.#take(entry));
  }

  /**
   * Closes the file of a session that has not ended; its recording then has no end line. Final and idempotent. Rejects
   * with `ERR_RECORDING_IO`.
   */
  close(): Promise<void> {
    return this.#next(async () => {
      this.#isClosed = true;
      const writer = this.#writer;
      this.#writer = null;
      await writer?.close();
    });
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    // A rejection goes to the caller; if the caller does not await it, it must not end the process here.
    this.#turn = done.catch(() => {});
    return done;
  }

  async #take(entry: SinkEntry): Promise<void> {
    if (this.#isClosed) throw new TelemetryError('ERR_STOPPED', 'the recorder is closed');
    assertObject('an entry', entry);
    switch (entry.kind) {
      case 'start':
        if (this.#writer !== null) {
          throw invalidConfig(
            `the recorder records the session of ${this.#writer.episodeId}, which has not ended`,
          );
        }
        this.#writer = new RecordingWriter(this.path, this.#limits, entry);
        return this.#writer.begin();
      case 'frames':
        return this.#writerOf(entry.episodeId).frames(entry);
      case 'end': {
        const writer = this.#writerOf(entry.episodeId);
        this.#writer = null;
        return writer.end(entry);
      }
      default:
        throw invalidConfig('an entry is a start, frames or an end');
    }
  }

  #writerOf(episodeId: string): RecordingWriter {
    if (this.#writer?.episodeId === episodeId) return this.#writer;
    throw invalidConfig(`the recorder records no session of ${String(episodeId)}`);
  }
}
