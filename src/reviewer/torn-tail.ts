/** What a crash leaves behind the last newline of a log. */
import type { FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 65_536;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const BLANKS: readonly (number | undefined)[] = [0x20, 0x09, 0x0d];
const OPENING: readonly (number | undefined)[] = [0x7b, 0x5b];
const CLOSING: readonly (number | undefined)[] = [0x7d, 0x5d];

/** Where the line begins that ends at `size`. */
export async function lastLineStart(handle: FileHandle, size: number): Promise<number> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let end = size; end > 0; ) {
    const length = Math.min(end, CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, length, end - length);
    const newline = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (newline >= 0) return end - length + newline + 1;
    end -= length;
  }
  return 0;
}

/** Whether `tail` is one JSON object, as far as its brackets tell: what is cut short is not. */
export function endsWhole(tail: Uint8Array): boolean {
  if (tail[0] !== OPENING[0]) return false;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < tail.length; at += 1) {
    const byte = tail[at];
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
      continue;
    }
    if (byte === QUOTE) inString = true;
    if (OPENING.includes(byte)) depth += 1;
    if (CLOSING.includes(byte)) depth -= 1;
    if (depth === 0) return tail.subarray(at + 1).every((rest) => BLANKS.includes(rest));
  }
  return false;
}
