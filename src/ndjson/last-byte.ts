/** Where a file's last newline is, or its last byte of another kind: found from its end on. */
import type { FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 4_096;
const NEWLINE = 0x0a;

export const lastNewlineOf = (chunk: Buffer): number => chunk.lastIndexOf(NEWLINE);

/** Where the last such byte before `end` ends, 0 where there is none. `lastOf` finds the last one of a chunk, or −1. */
export async function endOfLast(
  lastOf: (chunk: Buffer) => number,
  handle: FileHandle,
  end: number,
): Promise<number> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let to = end; to > 0; ) {
    const length = Math.min(to, CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, length, to - length);
    const last = lastOf(chunk.subarray(0, bytesRead));
    if (last >= 0) return to - length + last + 1;
    to -= length;
  }
  return 0;
}
