import type { FileHandle } from 'node:fs/promises';
import type { Appended, Output } from './output.js';
import { wholeLines } from './whole-lines.js';

/**
 * A file that holds whole lines only: written at the end of the last whole one, and what a failed write left behind
 * that is cut off before anything else is written.
 */
export class RegularFile implements Output {
  readonly isRegular = true;
  readonly isBroken = false;
  readonly #handle: FileHandle;
  #size = 0;
  #isTorn = false;

  constructor(handle: FileHandle) {
    this.#handle = handle;
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
