import type { BigIntStats } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { errnoOf } from '../kernel/errno.js';
import { type FileIdentity, isSameFile } from '../kernel/syscall.js';

/** The outcome of an append. */
export interface Appended {
  /** How many lines, from the first on, are completely in the file. */
  readonly lines: number;
  /** The error that kept the others from being written; null if there are none. */
  readonly error: unknown;
}

/** What another process did to the file: it “was …”. */
export type FileChange = 'removed' | 'renamed' | 'emptied' | 'cut short' | 'appended to';

/** Errors that mean that the path names no file (any more). Any other error says nothing about the file. */
const NOWHERE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ESTALE']);

/**
 * A file of whole lines only: lines are appended, and what a failed write left at the end is cut off before anything
 * else is written.
 *
 * The handle must be opened with `O_APPEND`: if another process truncates the file, a write at our own offset would
 * fill the gap with NULs.
 */
export class RegularFile {
  readonly isRegular = true;
  readonly isBroken = false;
  readonly #handle: FileHandle;
  #size: number;
  /** Bytes of the last append. */
  #lastBytes = 0;
  #identity: FileIdentity | null = null;
  /** Bytes of a partial line that a failed write left behind. */
  #tornBytes = 0;

  /** `size`: bytes of whole lines that the file already has. */
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

  /** Returns what another process did to the file opened at `path`, or null. Throws the errors of the file system. */
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

  /** Whether another process emptied the file just before the last append, so that it holds only those lines. */
  async isOnlyLast(): Promise<boolean> {
    if (this.#size === this.#lastBytes) return false;
    return (await this.#handle.stat()).size === this.#lastBytes;
  }

  /** Drops everything behind `size`, the end of a whole line. Throws the errors of the file system. */
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
    // Otherwise another process changed the file: a cut would remove data that is not ours, or fill it with NULs.
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

/** How many of these lines are complete in their first `written` bytes, and how many bytes those lines take. */
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
