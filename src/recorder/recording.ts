import { assertBoolean, assertOptions, RecordingError } from '../error/index.js';
import type { TelemetryFrame } from '../frame/index.js';
import type { RecordingEnd } from './end.js';
import type { RecordingHeader } from './header.js';
import { closeParts, openParts } from './parts.js';
import { assertRecordingPath } from './place.js';
import { Reading } from './reading.js';

/**
 * A recording, read as it is iterated. Each iteration reads it anew, from its oldest file to its newest, in bounded
 * memory; the properties show what the most recent iteration has read so far. Leaving the loop closes the files.
 *
 * An iteration throws `ERR_RECORDING_MISSING`, `ERR_RECORDING_MALFORMED` (with `file` and `line`), `ERR_RECORDING_IO`.
 */
export class Recording<N extends number | bigint = number>
  implements AsyncIterable<TelemetryFrame<N>>
{
  readonly path: string;
  readonly #bigint: boolean;
  #reading: Reading<N>;

  /** @internal Use `readRecording`. */
  constructor(path: string, bigint: boolean) {
    this.path = path;
    this.#bigint = bigint;
    this.#reading = new Reading(bigint);
  }

  /** The header of the newest file; null before the first frame is read, or if a kill came before any header. */
  get header(): RecordingHeader | null {
    return this.#reading.header;
  }

  /** How the session ended; null until it is read, or if the recording was cut off. */
  get end(): RecordingEnd<N> | null {
    return this.#reading.end;
  }

  /**
   * The number of frames missing so far: the ring no longer held them, they could not be written, or their files were
   * dropped.
   */
  get missed(): number {
    return this.#reading.missed;
  }

  /** The reasons of the quarantines read so far. */
  get quarantines(): readonly string[] {
    return this.#reading.quarantines;
  }

  /** Whether a torn last line was dropped. */
  get isTorn(): boolean {
    return this.#reading.isTorn;
  }

  /** Reads the header of the newest file, independent of any iteration. Throws the errors of an iteration. */
  async readHeader(): Promise<RecordingHeader> {
    const { parts } = await openParts(this.path);
    await closeParts(parts);
    const newest = parts.at(-1);
    if (newest !== undefined) return newest.header;
    throw new RecordingError('ERR_RECORDING_MALFORMED', `${this.path} was cut off in its header`, {
      file: this.path,
      line: 1,
    });
  }

  [Symbol.asyncIterator](): AsyncGenerator<TelemetryFrame<N>, void, undefined> {
    const reading = new Reading<N>(this.#bigint);
    this.#reading = reading;
    return readParts(this.path, reading);
  }
}

async function* readParts<N extends number | bigint>(
  path: string,
  reading: Reading<N>,
): AsyncGenerator<TelemetryFrame<N>, void, undefined> {
  const { parts, isTorn } = await openParts(path);
  const newest = parts.at(-1);
  reading.header = newest?.header ?? null;
  reading.isTorn = isTorn;
  try {
    for (const part of parts) {
      for await (const line of part.file.lines()) {
        if (line.number === 1) {
          part.file.decoded(line, () => reading.beginPart(part.header));
        } else if (!line.isTorn) {
          const frame = part.file.decoded(line, (json) => reading.take(json));
          if (frame !== null) yield frame;
        } else if (part === newest) {
          reading.isTorn = true;
        } else {
          throw part.file.malformed(line.number, 'the line is torn, but a newer file follows');
        }
      }
    }
  } finally {
    await closeParts(parts);
  }
}

/**
 * Returns the recording that a `FrameRecorder` wrote at `path`, including rotated files:
 * `for await (const frame of readRecording(path))` reads its frames, of `number`, or of `bigint` with
 * `{ bigint: true }`. The recording of an earlier session is at `path.1` or a higher number.
 *
 * Reading is strict: any deviation from what was written is `ERR_RECORDING_MALFORMED`; only the last line of the newest
 * file may be torn, and is dropped. Nothing is opened yet. Throws `ERR_INVALID_CONFIG`.
 */
export function readRecording(path: string, options?: { readonly bigint?: false }): Recording;
export function readRecording(path: string, options: { readonly bigint: true }): Recording<bigint>;
export function readRecording(
  path: string,
  options?: { readonly bigint?: boolean },
): Recording<number | bigint>;
export function readRecording(
  path: string,
  options: { readonly bigint?: boolean } = {},
): Recording<number | bigint> {
  assertRecordingPath(path);
  assertOptions('the options of readRecording', options, { bigint: true });
  assertBoolean('bigint', options.bigint);
  return new Recording(path, options.bigint ?? false);
}
