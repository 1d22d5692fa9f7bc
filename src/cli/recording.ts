/** `--record`: every frame of the command, in one file. */
import type { FrameSink, SinkEntry } from '../collector/index.js';
import { TelemetryError } from '../error/index.js';
import { PromoteTriggers } from '../policy/index.js';
import { FrameRecorder } from '../recorder/index.js';
import { complain } from './output.js';
import type { OutputFile } from './output-file.js';

const BATCH_MS = 200;

/** Promotes every frame, but in batches, so that writing costs little. */
export function everyFrame(periodMs: number): PromoteTriggers {
  const periodicFrames = Math.max(1, Math.round(BATCH_MS / periodMs));
  return new PromoteTriggers({ onTermination: true, periodicFrames });
}

/** A user who names a file expects the whole run in it, however long it is. */
const NEVER_ROTATED = Number.MAX_SAFE_INTEGER;

/**
 * Records the command and not the launcher: nothing is written before the command starts, or if it never starts. The
 * first failure is reported; a file is tried again with the next frames (the disk may have space again), but a stream
 * is given up, because its reader is gone or does not read.
 */
export class RunRecording implements FrameSink {
  readonly #file: OutputFile;
  readonly #started: Promise<boolean>;
  readonly #recorder: FrameRecorder;
  #isTold = false;
  #isGivenUp = false;

  /** `file` is open and empty, and stays open meanwhile: otherwise the reader of a FIFO would see its end. */
  constructor(file: OutputFile, started: Promise<boolean>) {
    this.#file = file;
    this.#started = started;
    this.#recorder = new FrameRecorder(file.path, { rotateBytes: NEVER_ROTATED });
  }

  async write(entry: SinkEntry): Promise<void> {
    if (this.#isGivenUp || !(await this.#started)) return;
    try {
      await this.#recorder.write(entry);
    } catch (cause) {
      await this.#fail(cause);
    }
  }

  async #fail(cause: unknown): Promise<void> {
    if (!(cause instanceof TelemetryError)) throw cause;
    if (cause.code === 'ERR_RECORDING_CHANGED') return complain(`--record: ${cause.message}`);
    if (cause.code !== 'ERR_RECORDING_IO') throw cause;
    if (!this.#isTold) complain(this.#file.incomplete(cause.errno ?? cause.message));
    this.#isTold = true;
    if (this.#file.isRegular) return;
    this.#isGivenUp = true;
    await this.#recorder.close().catch(() => {});
  }
}
