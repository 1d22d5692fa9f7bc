/** Writes one recording, from its header to its end: assigns lines to files and counts what was lost. */
import { randomUUID } from 'node:crypto';
import type { EndEntry, FramesEntry, StartEntry } from '../collector/frame-sink.js';
import { RecordingError } from '../error/index.js';
import type { FileChange, RegularFile } from '../ndjson/regular-file.js';
import { type Remains, remainsOf } from './changed-file.js';
import { endLine } from './end.js';
import { headerLine, headerOfStart, type RecordingHeader, recordingHost } from './header.js';
import { gapLine, quarantineLine } from './mark-lines.js';
import { holdsLines, type Output, openOutput } from './open-output.js';
import { dropRotated, type Place, placeOf, recordingIoError, rotate } from './place.js';

export interface RecordingLimits {
  readonly rotateBytes: number;
  readonly keepFiles: number;
}

/** A line with its newline, and the counts that take effect once it is written. */
interface Line {
  readonly bytes: Buffer;
  /** Frames in the line. */
  readonly frames: number;
  /** Frames that it reports as missed. */
  readonly missed: number;
}

/** The size of one write: a ring of frames takes megabytes. */
const BATCH_BYTES = 65_536;

export class RecordingWriter {
  readonly episodeId: string;
  readonly #path: string;
  readonly #limits: RecordingLimits;
  #header: Omit<RecordingHeader, 'part'>;
  /** The header line of the file, with its newline. */
  #headerLine: Buffer = Buffer.alloc(0);
  #place: Place | null = null;
  #output: Output | null = null;
  /** The number of the next file. */
  #parts = 0;
  /** Whether the file has more than its header. */
  #hasLines = false;
  /** Whether a rotated file is to be dropped once the next file has its header. */
  #hasSuperseded = false;
  /** The state of a file that another process changed, until the next file is open. */
  #remains: Remains | null = null;
  /** The change that another process made to a file, until it is reported. */
  #change: FileChange | null = null;
  /** Missing frames that no gap line has reported yet. */
  #untold = 0;
  #recorded = 0;
  #missed = 0;

  constructor(path: string, limits: RecordingLimits, start: StartEntry) {
    this.#path = path;
    this.#limits = limits;
    this.episodeId = start.episodeId;
    this.#header = headerOfStart(start, randomUUID(), recordingHost());
  }

  /** Writes the header. If it throws, the next entry tries again. */
  async begin(): Promise<void> {
    await this.#coded(() => this.#ready());
  }

  async frames({ frames, missed, reason }: FramesEntry): Promise<void> {
    this.#miss(missed);
    const before = this.#recorded;
    try {
      await this.#coded(() => this.#put(this.#frameLines(frames, reason)));
    } catch (cause) {
      this.#miss(frames.length - (this.#recorded - before));
      throw cause;
    }
    this.#tellChange();
  }

  /** Writes the end line and closes the file, even if the write fails. */
  async end(entry: EndEntry): Promise<void> {
    try {
      await this.#coded(() => this.#put(this.#endLines(entry)));
    } finally {
      await this.close();
    }
    this.#tellChange();
  }

  async close(): Promise<void> {
    const output = this.#output;
    this.#output = null;
    if (output !== null) await this.#coded(() => output.close());
  }

  *#frameLines(frames: FramesEntry['frames'], reason: string | null): Generator<Line> {
    if (reason !== null) yield lineOf(quarantineLine(reason));
    yield* this.#gapLines();
    for (const frame of frames) yield lineOf(frame.toNDJSON(), { frames: 1 });
  }

  *#endLines(entry: EndEntry): Generator<Line> {
    yield* this.#gapLines();
    yield lineOf(endLine(entry, { recorded: this.#recorded, missed: this.#missed }));
  }

  *#gapLines(): Generator<Line> {
    if (this.#untold > 0) yield lineOf(gapLine(this.#untold), { missed: this.#untold });
  }

  /** Writes lines in batches, each into the file that has room for it. */
  async #put(lines: Iterable<Line>): Promise<void> {
    let output = await this.#ready();
    let batch: Line[] = [];
    let bytes = 0;
    const flush = async () => {
      const lines = batch;
      batch = [];
      bytes = 0;
      if (lines.length > 0) output = await this.#write(lines);
    };
    for (const line of lines) {
      if (!this.#fits(output, bytes + line.bytes.length, batch.length > 0)) {
        await flush();
        if (!this.#fits(output, line.bytes.length, false)) output = await this.#nextPart();
      }
      batch.push(line);
      bytes += line.bytes.length;
      if (bytes >= BATCH_BYTES) await flush();
    }
    await flush();
  }

  /** A file holds its header and one more line, however small the limit is. */
  #fits(output: Output, bytes: number, hasBatch: boolean): boolean {
    if (!output.isRegular || !(this.#hasLines || hasBatch)) return true;
    return output.size + bytes <= this.#limits.rotateBytes;
  }

  /** Returns the file that the lines are in. */
  async #write(lines: readonly Line[]): Promise<Output> {
    const output = await this.#unchanged();
    const written = await output.append(lines.map(({ bytes }) => bytes));
    if (output.isRegular && (await output.isOnlyLast())) {
      await this.#leave(output, 'emptied');
      return this.#write(lines);
    }
    for (const line of lines.slice(0, written.lines)) {
      this.#recorded += line.frames;
      this.#untold -= line.missed;
      this.#hasLines = true;
    }
    if (written.error !== null) await this.#fail(output, written.error);
    return output;
  }

  async #fail(output: Output, error: unknown): Promise<never> {
    if (output.isBroken) {
      this.#output = null;
      await output.close().catch(() => {});
    }
    throw error;
  }

  /** Returns the file, open and with its header. */
  async #ready(): Promise<Output> {
    this.#output ??= await this.#open();
    const output = this.#output;
    if (output.size > 0) return output;
    this.#headerLine = Buffer.from(`${headerLine({ ...this.#header, part: this.#parts })}\n`);
    const { lines, error } = await output.append([this.#headerLine]);
    this.#parts += lines;
    this.#hasLines = false;
    if (error !== null) await this.#fail(output, error);
    await this.#dropSuperseded();
    return output;
  }

  /** The full file stays in use until the next one is open. */
  async #nextPart(): Promise<Output> {
    const full = await this.#unchanged();
    if (!this.#hasLines) return full;
    this.#output = await this.#open();
    await full.close();
    return this.#ready();
  }

  /** Returns the file if it is unchanged; if another process changed it, the file in which the recording goes on. */
  async #unchanged(): Promise<Output> {
    const output = this.#output;
    if (output?.isRegular) {
      const change = await output.changeAt(this.#placed());
      if (change !== null) await this.#leave(output, change);
    }
    return this.#ready();
  }

  async #leave(file: RegularFile, change: FileChange): Promise<void> {
    const remains = await remainsOf(file, change, this.#placed(), this.#headerLine);
    this.#change = change;
    // Frames may be lost. A part number is skipped, so that readers count them as missing.
    this.#parts += 1;
    // Readers that go on from here must not read the bytes of another process.
    if (remains === 'foreign') this.#header = { ...this.#header, recordingId: randomUUID() };
    if (remains === 'empty') return;
    this.#remains = remains;
    this.#output = null;
    await file.close().catch(() => {});
  }

  async #open(): Promise<Output> {
    this.#place ??= await placeOf(this.#path);
    const remains = this.#remains;
    if (remains !== 'elsewhere' && (await holdsLines(this.#place))) {
      await rotate(this.#place.path, this.#limits.keepFiles);
      this.#hasSuperseded = this.#limits.keepFiles === 0 && remains !== 'foreign';
    }
    const opened = await openOutput(this.#place, remains !== null);
    this.#remains = null;
    return opened;
  }

  async #dropSuperseded(): Promise<void> {
    if (!this.#hasSuperseded || this.#place === null) return;
    await dropRotated(this.#place.path);
    this.#hasSuperseded = false;
  }

  /** Throws the error of a change, once, after the lines are written. */
  #tellChange(): void {
    const change = this.#change;
    if (change === null) return;
    this.#change = null;
    const file = this.#placed();
    throw new RecordingError(
      'ERR_RECORDING_CHANGED',
      `${file} was ${change} by somebody else; the recording goes on with a new header`,
      { file },
    );
  }

  /** The path with its links resolved, once that is known. */
  #placed(): string {
    return this.#place?.path ?? this.#path;
  }

  #miss(frames: number): void {
    this.#untold += frames;
    this.#missed += frames;
  }

  /** Runs `work` and rethrows its system errors as `ERR_RECORDING_IO`. */
  async #coded(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      throw recordingIoError(this.#placed(), 'written', cause);
    }
  }
}

function lineOf(text: string, told: { frames?: number; missed?: number } = {}): Line {
  return { bytes: Buffer.from(`${text}\n`), frames: told.frames ?? 0, missed: told.missed ?? 0 };
}
