/** Reads a file by lines, in bounded memory. */
import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { invalidConfig } from '../error/index.js';

const CHUNK_BYTES = 65_536;
const NEWLINE = 0x0a;

/** One line without its newline, or the text behind the last newline. */
export interface RawLine {
  /** Valid only until the next line is read. */
  readonly bytes: Buffer;
  /** Counted from 1, the first line that is read. */
  readonly number: number;
  /** The line does not end with a newline. */
  readonly isTorn: boolean;
}

/**
 * Reads from `start` (the beginning of a line) up to `endOffset`, independently of other readers. Every line comes from
 * one read, so that no line mixes old and new content if the end of the file is cut off and rewritten meanwhile.
 *
 * Throws `LongLine` for a line of more than `maxBytes`, and the errors of the file system.
 */
export async function* linesOf(
  handle: FileHandle,
  maxBytes: number,
  endOffset = Number.POSITIVE_INFINITY,
  start = 0,
): AsyncGenerator<RawLine> {
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let offset = start;
  let number = 1;
  /** The beginning of a line that the last read did not complete. */
  let begunBytes = -1;
  for (;;) {
    const wanted = Math.min(buffer.length, endOffset - offset);
    const { bytesRead } = await handle.read(buffer, 0, wanted, offset);
    const read = buffer.subarray(0, bytesRead);
    let from = 0;
    for (let newline = read.indexOf(NEWLINE); newline >= 0; ) {
      if (newline - from > maxBytes) throw new LongLine(number, maxBytes);
      yield { bytes: read.subarray(from, newline), number, isTorn: false };
      number += 1;
      from = newline + 1;
      newline = read.indexOf(NEWLINE, from);
    }
    const begun = read.subarray(from);
    if (begun.length > maxBytes) throw new LongLine(number, maxBytes);
    // A short read need not be the end of the file; a second read that returns nothing is.
    const isEnd = bytesRead === 0 || (from === 0 && bytesRead === begunBytes);
    if (isEnd || offset + bytesRead === endOffset) {
      if (begun.length > 0) yield { bytes: begun, number, isTorn: true };
      return;
    }
    offset += from;
    begunBytes = begun.length;
    if (bytesRead === buffer.length && from === 0) buffer = Buffer.allocUnsafe(2 * buffer.length);
  }
}

export class LongLine extends Error {
  readonly number: number;

  constructor(number: number, maxBytes: number) {
    super(`the line is longer than ${maxBytes} bytes`);
    this.number = number;
  }
}

/** The text of a line. Throws `ERR_INVALID_CONFIG` if it is not UTF-8. */
export function textOfLine(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw invalidConfig('the line is not UTF-8');
  return bytes.toString('utf8');
}

const TAIL_BYTES = 4_096;

export const lastNewlineOf = (chunk: Buffer): number => chunk.lastIndexOf(NEWLINE);

/** Returns where the last such byte before `end` ends, or 0. `lastOf` finds the last one in a chunk, or −1. */
export async function endOfLast(
  lastOf: (chunk: Buffer) => number,
  handle: FileHandle,
  end: number,
): Promise<number> {
  const chunk = Buffer.allocUnsafe(TAIL_BYTES);
  for (let to = end; to > 0; ) {
    const length = Math.min(to, TAIL_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, length, to - length);
    const last = lastOf(chunk.subarray(0, bytesRead));
    if (last >= 0) return to - length + last + 1;
    to -= length;
  }
  return 0;
}
