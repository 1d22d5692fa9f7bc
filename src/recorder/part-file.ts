/** One file of a recording, open for reading. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { RecordingError } from '../error/index.js';
import { errnoOf } from '../host/index.js';
import { parseExact } from './exact-json.js';
import { HEADER_BEGINS, headerFromJson, type RecordingHeader } from './header.js';
import { LongLine, linesOf, type RawLine, textOfLine } from './line-reader.js';
import { recordingIoError } from './place.js';

export class PartFile {
  readonly path: string;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** null where there is no such file. Throws `ERR_RECORDING_IO`: also for what is no regular file. */
  static async open(path: string): Promise<PartFile | null> {
    let handle: FileHandle;
    try {
      // O_NONBLOCK: the open of a FIFO must not wait for its writer.
      handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') return null;
      throw recordingIoError(path, 'read', cause);
    }
    const part = new PartFile(path, handle);
    try {
      await part.#assertRegular();
      return part;
    } catch (cause) {
      await part.close();
      throw recordingIoError(path, 'read', cause);
    }
  }

  async #assertRegular(): Promise<void> {
    const found = await this.#handle.stat();
    if (found.isFile()) return;
    throw new RecordingError('ERR_RECORDING_IO', `${this.path} is not a regular file`, {
      errno: found.isDirectory() ? 'EISDIR' : null,
      file: this.path,
    });
  }

  /**
   * The header; null where a kill left none or a part of one, and `isEmpty` says which. Throws
   * `ERR_RECORDING_MALFORMED`, `ERR_RECORDING_IO`.
   */
  async header(): Promise<{ readonly header: RecordingHeader | null; readonly isEmpty: boolean }> {
    for await (const line of this.lines()) {
      if (!line.isTorn) {
        return { header: this.decoded(line, headerFromJson), isEmpty: false };
      }
      const begun = line.bytes.subarray(0, HEADER_BEGINS.length).toString('latin1');
      if (HEADER_BEGINS.startsWith(begun)) return { header: null, isEmpty: false };
      throw this.malformed(line.number, 'the file does not begin with the header of a recording');
    }
    return { header: null, isEmpty: true };
  }

  /** From the beginning. Throws `ERR_RECORDING_MALFORMED` for a line too long, `ERR_RECORDING_IO`. */
  async *lines(): AsyncGenerator<RawLine> {
    try {
      yield* linesOf(this.#handle);
    } catch (cause) {
      if (cause instanceof LongLine) throw this.malformed(cause.number, cause.message, cause);
      throw recordingIoError(this.path, 'read', cause);
    }
  }

  /** What `read` makes of the line's JSON; whatever it throws is `ERR_RECORDING_MALFORMED`, with the file and line. */
  decoded<T>({ bytes, number }: RawLine, read: (json: unknown) => T): T {
    try {
      return read(parseExact(textOfLine(bytes)));
    } catch (cause) {
      throw this.malformed(number, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  malformed(line: number, why: string, cause?: unknown): RecordingError {
    return new RecordingError('ERR_RECORDING_MALFORMED', `${this.path}:${line}: ${why}`, {
      file: this.path,
      line,
      cause,
    });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
