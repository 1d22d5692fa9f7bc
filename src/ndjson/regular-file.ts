import type { BigIntStats } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { errnoOf } from '../kernel/errno.js';
import { type FileIdentity, isSameFile } from '../kernel/syscall.js';

/** What became of lines. */
export interface Appended {
  /** How many of them are in the file whole, from the first on. */
  readonly lines: number;
  /** What the kernel said about the others, null where there are none. */
  readonly error: unknown;
}

/** What somebody else did to the file: it “was …”. */
export type FileChange = 'removed' | 'renamed' | 'emptied' | 'cut short' | 'appended to';

/** Then the path is not, or no longer, that of any file. Whatever else the kernel says tells nothing about the file. */
const NOWHERE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ESTALE']);

/**
 * A file that holds whole lines only: written at its end, and what a failed write left behind there is cut off before
 * anything else is written.
 *
 * The handle must be one of `O_APPEND`: where somebody truncates the file, a write at an offset of our own would fill
 * what is missing with NULs.
 */
export class RegularFile {
  readonly isRegular = true;
  readonly isBroken = false;
  readonly #handle: FileHandle;
  #size: number;
  /** Of the last append. */
  #lastBytes = 0;
  #identity: FileIdentity | null = null;
  /** Bytes of a line that a failed write left behind. */
  #tornBytes = 0;

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
        const rest = bytes.length - written;
        written += (await this.#handle.write(bytes, written, rest, null)).bytesWritten;
      }
      this.#size += written;
      this.#lastBytes = written;
      return { lines: lines.length, error: null };
    } catch (error) {
      const whole = wholeLines(lines, written);
      this.#size += whole.bytes;
      this.#lastBytes = whole.bytes;
      this.#tornBytes += written - whole.bytes;
      // Repairs at once, because the process may be killed before the next write; that write retries a failed repair.
      await this.#mend().catch(() => {});
      return { lines: whole.lines, error };
    }
  }

  /** What somebody else did to the file that was opened at `path`; null for nothing. Throws what the kernel says. */
  async changeAt(path: string): Promise<FileChange | null> {
    this.#identity ??= await this.#handle.stat({ bigint: true });
    const named = await statAt(path);
    // No other file can have this inode number while the file is open.
    const isAt = typeof named === 'object' && isSameFile(named, this.#identity);
    if (isAt) return this.#changeOf(named);
    const opened = await this.#stat();
    if (opened === null || opened.nlink === 0n) return 'removed';
    return named === 'unknown' ? this.#changeOf(opened) : 'renamed';
  }

  /** Whether somebody emptied the file just before the last append: then what that wrote is all there is in it. */
  async isOnlyLast(): Promise<boolean> {
    if (this.#size === this.#lastBytes) return false;
    return (await this.#handle.stat()).size === this.#lastBytes;
  }

  /** Drops what is behind `size`, the end of a whole line. Throws what the kernel says. */
  async cut(size: number): Promise<void> {
    // ftruncate would extend a shorter file with NULs.
    if ((await this.#handle.stat()).size > size) await this.#handle.truncate(size);
    this.#size = size;
    this.#tornBytes = 0;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #mend(): Promise<void> {
    if (this.#tornBytes === 0) return;
    const { size } = await this.#handle.stat();
    // Else somebody changed the file: to cut it there would cut off what is not ours, or fill it with NULs.
    if (size === this.#size + this.#tornBytes) await this.#handle.truncate(this.#size);
    this.#tornBytes = 0;
  }

  #changeOf({ size }: BigIntStats): FileChange | null {
    const bytes = BigInt(this.#size + this.#tornBytes);
    if (size === bytes) return null;
    if (size > bytes) return 'appended to';
    return size === 0n ? 'emptied' : 'cut short';
  }

  async #stat(): Promise<BigIntStats | null> {
    try {
      return await this.#handle.stat({ bigint: true });
    } catch (cause) {
      if (errnoOf(cause) === 'ESTALE') return null;
      throw cause;
    }
  }
}

async function statAt(path: string): Promise<BigIntStats | 'nowhere' | 'unknown'> {
  try {
    return await stat(path, { bigint: true });
  } catch (cause) {
    return NOWHERE.has(errnoOf(cause)) ? 'nowhere' : 'unknown';
  }
}

/** How many of these lines the first `written` bytes of them hold whole, and in how many bytes. */
export function wholeLines(
  lines: readonly Buffer[],
  written: number,
): { readonly lines: number; readonly bytes: number } {
  let bytes = 0;
  for (const [index, line] of lines.entries()) {
    if (bytes + line.length > written) return { lines: index, bytes };
    bytes += line.length;
  }
  return { lines: lines.length, bytes };
}
