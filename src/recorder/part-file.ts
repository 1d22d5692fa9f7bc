/** One file of a recording, open for reading. */
import type { FileHandle } from 'node:fs/promises';
import { RecordingError } from '../error/index.js';
import { parseExact } from '../ndjson/exact-json.js';
import { LongLine, linesOf, type RawLine, textOfLine } from '../ndjson/line-reader.js';
import { isAt, NotRegular, openRegular } from '../ndjson/open-regular.js';
import { messageOf } from '../realm/index.js';
import { HEADER_BEGINS, headerFromJson, type RecordingHeader } from './header.js';
import { recordingIoError } from './place.js';

/** Far above the length of any recorded line: a frame takes about 1 KiB. */
const MAX_LINE_BYTES = 1024 * 1024;

export class PartFile {
  readonly path: string;
  readonly #handle: FileHandle;

  private constructor(path: string, handle: FileHandle) {
    this.path = path;
    this.#handle = handle;
  }

  /** Returns null if there is no such file. Throws `ERR_RECORDING_IO`, also if it is not a regular file. */
  static async open(path: string): Promise<PartFile | null> {
    try {
      const handle = await openRegular(path);
      return handle === null ? null : new PartFile(path, handle);
    } catch (cause) {
      if (!(cause instanceof NotRegular)) throw recordingIoError(path, 'read', cause);
      const { errno, message } = cause;
      throw new RecordingError('ERR_RECORDING_IO', message, { errno, file: path, cause });
    }
  }

  /**
   * Reads the header; it is null if a kill left none (`isEmpty`) or only a part of it. Throws
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

  /** Whether the file begins like a recording, even if it ends within the header. Throws `ERR_RECORDING_IO`. */
  async beginsAsRecording(): Promise<boolean> {
    const begun = Buffer.alloc(HEADER_BEGINS.length);
    try {
      const { bytesRead } = await this.#handle.read(begun, 0, begun.length, 0);
      return HEADER_BEGINS.startsWith(begun.toString('latin1', 0, bytesRead));
    } catch (cause) {
      throw recordingIoError(this.path, 'read', cause);
    }
  }

  /** Reads from the beginning. Throws `ERR_RECORDING_MALFORMED` for a line that is too long, `ERR_RECORDING_IO`. */
  async *lines(): AsyncGenerator<RawLine> {
    try {
      yield* linesOf(this.#handle, MAX_LINE_BYTES);
    } catch (cause) {
      if (cause instanceof LongLine) throw this.malformed(cause.number, cause.message, cause);
      throw recordingIoError(this.path, 'read', cause);
    }
  }

  /** Returns `read` of the line's JSON; any error becomes `ERR_RECORDING_MALFORMED`, with the file and line. */
  decoded<T>({ bytes, number }: RawLine, read: (json: unknown) => T): T {
    try {
      return read(parseExact(textOfLine(bytes)));
    } catch (cause) {
      throw this.malformed(number, messageOf(cause), cause);
    }
  }

  malformed(line: number, why: string, cause?: unknown): RecordingError {
    return new RecordingError('ERR_RECORDING_MALFORMED', `${this.path}:${line}: ${why}`, {
      file: this.path,
      line,
      cause,
    });
  }

  /** Whether the path still refers to this file. Throws the system error. */
  isAt(path: string): Promise<boolean> {
    return isAt(path, this.#handle);
  }

  /** Whether the file has been unlinked. Throws the system error. */
  async isRemoved(): Promise<boolean> {
    return (await this.#handle.stat()).nlink === 0;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
