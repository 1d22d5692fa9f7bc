/** `--record`, `--json`: files that are opened before the command runs and written with plain writes. */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { TelemetryFrame } from '../frame/index.js';
import { errnoOf } from '../host/cgroup-files.js';

/** How often 1 ms is waited for the reader of a pipe that is full, in one write. */
const MAX_BUSY_WRITES = 1_000;

/** A file of text. The first failed write is told once and ends it; the run goes on. */
export class OutputFile {
  readonly #name: string;
  readonly #warn: (message: string) => void;
  #fd: number | null;

  /**
   * Opens and empties nothing yet. Throws what `open` says: a file that cannot be had is told before anything is
   * run. `option` and `path` name it in messages.
   */
  constructor(option: string, path: string, warn: (message: string) => void) {
    this.#name = `${option} ${path}`;
    this.#warn = warn;
    const { O_WRONLY, O_CREAT, O_NONBLOCK } = constants;
    // Without O_NONBLOCK the open of a FIFO that nobody reads would hang, deaf to signals.
    this.#fd = openSync(path, O_WRONLY | O_CREAT | O_NONBLOCK, 0o666);
  }

  isSameAs(other: OutputFile): boolean {
    if (this.#fd === null || other.#fd === null) return false;
    const [a, b] = [fstatSync(this.#fd), fstatSync(other.#fd)];
    return a.isFile() && a.dev === b.dev && a.ino === b.ino;
  }

  /** Drops what a regular file held before. */
  truncate(): void {
    if (this.#fd !== null && fstatSync(this.#fd).isFile()) ftruncateSync(this.#fd);
  }

  write(text: string): void {
    if (this.#fd === null) return;
    try {
      writeAll(this.#fd, Buffer.from(text));
    } catch (cause) {
      this.#warn(`${this.#name} is incomplete: it cannot be written (${errnoOf(cause)})`);
      this.close();
    }
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

/** One frame a line. */
export function framesToNdjson(frames: readonly TelemetryFrame<bigint>[]): string {
  return frames.map((frame) => `${frame.toNDJSON()}\n`).join('');
}
