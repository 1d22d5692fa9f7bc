/** A file as lines, in bounded memory. */
import type { FileHandle } from 'node:fs/promises';
import { invalidConfig } from '../error/index.js';

/** No line that is recorded comes near it: a frame is about 1 KiB. */
export const MAX_LINE_BYTES = 1024 * 1024;

const CHUNK_BYTES = 65_536;
const NEWLINE = 0x0a;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** One line without its newline, or what stands behind the last newline. */
export interface RawLine {
  readonly bytes: Buffer;
  /** From 1. */
  readonly number: number;
  /** Not ended by a newline. */
  readonly isTorn: boolean;
}

/** From the beginning of the file, wherever others read it. Throws `LongLine`, and what the kernel says. */
export async function* linesOf(handle: FileHandle): AsyncGenerator<RawLine> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let number = 1;
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    let from = 0;
    while (from < bytesRead) {
      const newline = chunk.subarray(0, bytesRead).indexOf(NEWLINE, from);
      const to = newline === -1 ? bytesRead : newline;
      begunBytes += to - from;
      if (begunBytes > MAX_LINE_BYTES) throw new LongLine(number);
      // A copy: the chunk is read into again.
      begun.push(Buffer.from(chunk.subarray(from, to)));
      from = to + 1;
      if (newline === -1) break;
      yield { bytes: Buffer.concat(begun), number, isTorn: false };
      number += 1;
      begun = [];
      begunBytes = 0;
    }
  }
  if (begunBytes > 0) yield { bytes: Buffer.concat(begun), number, isTorn: true };
}

export class LongLine extends Error {
  readonly number: number;

  constructor(number: number) {
    super(`the line is longer than ${MAX_LINE_BYTES} bytes`);
    this.number = number;
  }
}

/** The text of a line; `ERR_INVALID_CONFIG` where it is no UTF-8. */
export function textOfLine(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw invalidConfig('the line is not UTF-8');
  }
}
