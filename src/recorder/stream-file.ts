import { write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../kernel/errno.js';
import { type Appended, wholeLines } from '../ndjson/regular-file.js';

/** How often a write to a full pipe is repeated, 1 ms apart, before its reader counts as too slow. */
const MAX_BUSY_WRITES = 1_000;

/** The target of a stream, such as a `FileHandle`. */
interface StreamTarget {
  write(
    bytes: Buffer,
    offset: number,
    length: number,
    position: null,
  ): Promise<{ readonly bytesWritten: number }>;
  close(): Promise<void>;
}

/** An open file by its descriptor, which has another owner: `close` leaves it open. */
export class DescriptorTarget implements StreamTarget {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Buffer, offset: number, length: number, position: null) {
    return new Promise<{ bytesWritten: number }>((resolve, reject) => {
      write(this.#fd, bytes, offset, length, position, (error, bytesWritten) => {
        if (error === null) resolve({ bytesWritten });
        else reject(error);
      });
    });
  }

  async close(): Promise<void> {}
}

/**
 * A FIFO, a device or an open descriptor of this process: written bytes cannot be taken back. The rest of a line that
 * was begun is written before anything else, so that the reader gets whole lines; the line counts as written.
 */
export class StreamFile {
  readonly isRegular = false;
  readonly #target: StreamTarget;
  #size = 0;
  #rest: Buffer = Buffer.alloc(0);
  #isBroken = false;

  constructor(target: StreamTarget) {
    this.#target = target;
  }

  get size(): number {
    return this.#size;
  }

  /** The reader is gone. The next reader must get a header first. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  async append(lines: readonly Buffer[]): Promise<Appended> {
    const owed = this.#rest.length;
    const bytes = Buffer.concat([this.#rest, ...lines]);
    let written = 0;
    let error: unknown = null;
    for (let busy = 0; written < bytes.length && error === null; ) {
      try {
        const rest = bytes.length - written;
        written += (await this.#target.write(bytes, written, rest, null)).bytesWritten;
        busy = 0;
      } catch (cause) {
        busy += 1;
        if (errnoOf(cause) === 'EAGAIN' && busy <= MAX_BUSY_WRITES) await sleep(1);
        else error = cause;
      }
    }
    if (written < owed) {
      this.#rest = bytes.subarray(written, owed);
      return this.#failed(0, error);
    }
    const whole = wholeLines(lines, written - owed);
    this.#size += whole.bytes;
    const begun = lines[whole.lines];
    const cutAt = written - owed - whole.bytes;
    const isBegun = begun !== undefined && cutAt > 0;
    this.#rest = isBegun ? begun.subarray(cutAt) : Buffer.alloc(0);
    if (isBegun) this.#size += begun.length;
    return this.#failed(whole.lines + (isBegun ? 1 : 0), error);
  }

  close(): Promise<void> {
    return this.#target.close();
  }

  #failed(lines: number, error: unknown): Appended {
    if (error !== null && errnoOf(error) === 'EPIPE') this.#isBroken = true;
    return { lines, error };
  }
}
