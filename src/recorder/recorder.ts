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
   * How large a file becomes, bytes; at least 1, 64 MiB unless set. A file holds its header (below 2 KiB, mostly) and
   * one more line, even where that is more.
   */
  readonly rotateBytes?: number;
  /** How many files are kept besides the newest: `path.1`, the newest of them, to `path.<keepFiles>`. 1 unless set. */
  readonly keepFiles?: number;
}

const RECORDER: OptionKeys<FrameRecorderOptions> = { rotateBytes: true, keepFiles: true };

const DEFAULT_ROTATE_BYTES = 64 * 1024 * 1024;
const DEFAULT_KEEP_FILES = 1;

/**
 * Records what a session promotes as NDJSON, schema `episcope.frames.v1`: a header line (session, policy, budget,
 * host), the frames, a `gap` line where some are missing, a `quarantine` line for its reason, and an `end` line with
 * the totals. `readRecording(path)` reads it back.
 *
 * A file that is there at the start, the recording of an earlier session, is rotated away first, and the newest file
 * is rotated away once it is full; each begins with a header of its own. A FIFO, a device or `/dev/stdout` is written
 * as it is. Lines are written whole, at the end of the last whole one: a process that is killed leaves at most one
 * torn line, the last. (They are not synced: that is about the process, not about the power.)
 *
 * A write that fails (`ENOSPC`, `EACCES`, …) rejects with `ERR_RECORDING_IO`; what was written before stays as it is,
 * the frames that were not are told by the next `gap` line, and the next entry tries again.
 *
 * Where somebody else truncated, removed or renamed the file, the recording goes on at the path with a new header, and
 * what is missing is counted by readers; a file that somebody else wrote to is rotated away as it is. Both are told
 * once, with `ERR_RECORDING_CHANGED`, when all there was to write is written. What somebody else put in its place is
 * left alone: `ERR_RECORDING_IO` until it is gone, an empty file excepted.
 *
 * One session at a time, and one recorder at a path: after the end of a session the next start begins a new recording.
 */
export class FrameRecorder implements FrameSink {
  readonly path: string;
  readonly #limits: RecordingLimits;
  #writer: RecordingWriter | null = null;
  #isClosed = false;
  /** The last entry's turn: there is one writer, also where nobody awaits it. */
  #turn: Promise<void> = Promise.resolve();

  /**
   * Nothing is opened before the start of a session. Throws `ERR_INVALID_CONFIG` (a path that is empty, has a NUL or
   * is no string; an option of another type), `ERR_OUT_OF_RANGE`.
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
   * Rejects with `ERR_RECORDING_IO` (with `errno` and `file`), `ERR_RECORDING_CHANGED` (though the lines are written),
   * `ERR_INVALID_CONFIG` (no entry, a start before the end of the session before, an entry of another session or of
   * none), `ERR_STOPPED` (after `close()`).
   */
  write(entry: SinkEntry): Promise<void> {
    return this.#next(() => this.#take(entry));
  }

  /**
   * Closes the file of a session that has not ended; its recording has no end line. Final and idempotent. Rejects
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
    // A rejection is for who awaits it; where nobody does, it must not end the process.
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
