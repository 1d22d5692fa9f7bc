/** How a log ends, which a crash may have left within a line: as `native/core/event_log.cc` looks at it. */
import type { FileHandle } from 'node:fs/promises';
import { MAX_REVIEWER_LINE_BYTES } from './schema.js';

const CHUNK_BYTES = 4_096;
const NEWLINE = 0x0a;
/** What stands outside of strings: structure, numbers, `true`, `false` and `null`. */
const OUTSIDE = new Set(' \t\r,:truefalsn+-.eE0123456789');

/** What a line is, as far as its brackets and quotes tell. */
export type LineShape = 'whole' | 'cut short' | 'other';

export function shapeOf(line: Uint8Array): LineShape {
  // Every byte a character: what stands in strings is not looked at.
  const text = Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('latin1');
  if (!text.startsWith('{')) return 'other';
  const open: string[] = [];
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (inString) {
      if (character === '\\') at += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') {
      inString = true;
    } else if (character === '{' || character === '[') {
      open.push(character === '{' ? '}' : ']');
    } else if (character === '}' || character === ']') {
      if (open.pop() !== character) return 'other';
      if (open.length === 0) return /[^ \t\r]/.test(text.slice(at + 1)) ? 'other' : 'whole';
    } else if (!OUTSIDE.has(character)) {
      return 'other';
    }
  }
  return 'cut short';
}

/** What is to be done about how a file of `size` bytes, not 0, ends. */
export type EndOfLog =
  | { readonly what: 'nothing' }
  /** Only its newline is missing, which others write by itself. */
  | { readonly what: 'newline' }
  | { readonly what: 'cut'; readonly at: number }
  /** It ends within a line that no writer of such a log began. */
  | { readonly what: 'foreign' };

export async function endOfLog(handle: FileHandle, size: number): Promise<EndOfLog> {
  const last = Buffer.alloc(1);
  await handle.read(last, 0, 1, size - 1);
  const hasNewline = last[0] === NEWLINE;
  const end = hasNewline ? size - 1 : size;
  const start = await lineStart(handle, end);
  const line = Buffer.alloc(Math.min(end - start, MAX_REVIEWER_LINE_BYTES + 1));
  await handle.read(line, 0, line.length, start);
  // A longer line is not looked at: no reader takes it.
  const shape = line.length > MAX_REVIEWER_LINE_BYTES ? 'other' : shapeOf(line);
  // Readers forgive an event cut short only while nothing stands behind it.
  if (hasNewline) return shape === 'cut short' ? { what: 'cut', at: start } : { what: 'nothing' };
  if (shape === 'whole') return { what: 'newline' };
  // A crash of the machine may leave zeros. What begins otherwise is not ours to cut.
  const isOurs = /^(?:[{\0]|[ \t\r]*$)/.test(line.toString('latin1'));
  return isOurs ? { what: 'cut', at: start } : { what: 'foreign' };
}

/** Where the line begins that ends at `end`. */
async function lineStart(handle: FileHandle, end: number): Promise<number> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let to = end; to > 0; ) {
    const length = Math.min(to, CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, length, to - length);
    const newline = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (newline >= 0) return to - length + newline + 1;
    to -= length;
  }
  return 0;
}
