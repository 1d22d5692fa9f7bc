import type { FileHandle } from 'node:fs/promises';
import { wholeLines } from './whole-lines.js';

/** What became of lines. */
export interface Appended {
  /** How many of them are in the file whole, from the first on. */
  readonly lines: number;
  /** What the kernel said about the others, null where there are none. */
  readonly error: unknown;
}

/**
 * A file that holds whole lines only: written at the end of the last whole one, and what a failed write left behind
 * that is cut off before anything else is written.
 */
export class RegularFile {
  readonly isRegular = true;
  readonly isBroken = false;
  readonly #handle: FileHandle;
  #size: number;
  #isTorn = false;

  /** `size`: bytes of whole lines that are there. */
  constructor(handle: FileHandle, size = 0) {
    this.#handle = handle;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  async append(lines: readonly Buffer[]): Promise<Appended> {
    const bytes = Buffer.concat(lines);
    let written = 0;
    try {
      await this.#mend();
      while (written < bytes.length) {
        this.#isTorn = true;
        const rest = bytes.length - written;
        const at = this.#size + written;
        written += (await this.#handle.write(bytes, written, rest, at)).bytesWritten;
      }
      this.#isTorn = false;
      this.#size += written;
      return { lines: lines.length, error: null };
    } catch (error) {
      const whole = wholeLines(lines, written);
      this.#size += whole.bytes;
      // Now, as a kill may come before the next write; where it fails it is tried again then.
      await this.#mend().catch(() => {});
      return { lines: whole.lines, error };
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #mend(): Promise<void> {
    if (!this.#isTorn) return;
    await this.#handle.truncate(this.#size);
    this.#isTorn = false;
  }
}
