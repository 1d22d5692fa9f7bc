/** `--json`, `--record`: files that are opened before the command runs. */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { errnoOf } from '../host/errno.js';

/** How often 1 ms is waited for the reader of a pipe that is full, in one write. */
const MAX_BUSY_WRITES = 1_000;

/** A file of text. The first failed write is told once and ends it; the run goes on. */
export class OutputFile {
  readonly path: string;
  readonly #option: string;
  readonly #warn: (message: string) => void;
  #fd: number | null;

  /**
   * Opens and empties nothing yet. Throws what `open` says: a file that cannot be had is told before anything is
   * run. `option` and `path` name it in messages.
   */
  constructor(option: string, path: string, warn: (message: string) => void) {
    this.path = path;
    this.#option = option;
    this.#warn = warn;
    const { O_WRONLY, O_CREAT, O_NONBLOCK } = constants;
    // Without O_NONBLOCK the open of a FIFO that nobody reads would hang, deaf to signals.
    this.#fd = openSync(path, O_WRONLY | O_CREAT | O_NONBLOCK, 0o666);
  }

  /** Not a FIFO or a device. False once it is closed. */
  get isRegular(): boolean {
    return this.#fd !== null && fstatSync(this.#fd).isFile();
  }

  isSameAs(other: OutputFile): boolean {
    if (this.#fd === null || other.#fd === null) return false;
    const [a, b] = [fstatSync(this.#fd), fstatSync(other.#fd)];
    return a.isFile() && a.dev === b.dev && a.ino === b.ino;
  }

  /** Drops what a regular file held before. */
  truncate(): void {
    if (this.#fd !== null && this.isRegular) ftruncateSync(this.#fd);
  }

  write(text: string): void {
    if (this.#fd === null) return;
    try {
      writeAll(this.#fd, Buffer.from(text));
    } catch (cause) {
      this.#warn(this.incomplete(errnoOf(cause)));
      this.close();
    }
  }

  /** What is told of a write that failed. */
  incomplete(errno: string): string {
    return `${this.#option} ${this.path} is incomplete: it cannot be written (${errno})`;
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0, busy = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (cause) {
      busy += 1;
      if (errnoOf(cause) !== 'EAGAIN' || busy > MAX_BUSY_WRITES) throw cause;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
