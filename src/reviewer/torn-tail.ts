/** Examines the end of a log, which a crash may have left within a line, as `native/core/event_log.cc` does. */
import type { FileHandle } from 'node:fs/promises';
import { endOfLast, lastNewlineOf } from '../ndjson/line-reader.js';
import { MAX_REVIEWER_LINE_BYTES } from '../schema/bounds.js';

const NEWLINE = 0x0a;
const OBJECT = 0x7b;
/** The bytes of a blank line, which readers skip. */
const BLANK = new Set([...' \t\r'].map((character) => character.charCodeAt(0)));
/** The characters outside of strings: structure, numbers, `true`, `false` and `null`. */
const OUTSIDE = new Set(' \t\r,:truefalsn+-.eE0123456789');

/** The shape of a line, judged by its brackets and quotes. */
export type LineShape = 'whole' | 'cut short' | 'other';

export function shapeOf(line: Uint8Array): LineShape {
  // Every byte becomes a character: the content of strings is not checked.
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

/** Decides what to do about the end of a file of `size` bytes, which is not 0. */
export type EndOfLog =
  | { readonly what: 'nothing' }
  /** Only the newline is missing, which some writers write separately. */
  | { readonly what: 'newline' }
  | { readonly what: 'cut'; readonly at: number }
  /** It ends within a line that no writer of such a log began. */
  | { readonly what: 'foreign' };

export async function endOfLog(handle: FileHandle, size: number): Promise<EndOfLog> {
  const linesEnd = await endOfLast(lastNewlineOf, handle, size);
  const textEnd = await endOfLast(lastTextOf, handle, size);
  // The start of the last line that is not blank: an event cut short may be followed by blank lines.
  const start = await endOfLast(lastNewlineOf, handle, textEnd);
  const line = Buffer.alloc(Math.min(textEnd - start, MAX_REVIEWER_LINE_BYTES + 1));
  await handle.read(line, 0, line.length, start);
  const text = line.subarray(Math.max(0, line.findIndex(isText)));
  // A longer line is not checked: readers refuse it anyway.
  const shape = line.length > MAX_REVIEWER_LINE_BYTES ? 'other' : shapeOf(text);
  // Readers skip such a line only if no line follows it.
  if (shape === 'cut short') return { what: 'cut', at: start };
  if (linesEnd === size) return { what: 'nothing' };
  if (shape === 'whole' || linesEnd >= textEnd) return { what: 'newline' };
  // A crash of the machine may leave zeros. A line that begins otherwise must not be cut.
  const isOurs = text[0] === OBJECT || text[0] === 0;
  return isOurs ? { what: 'cut', at: start } : { what: 'foreign' };
}

const isText = (byte: number): boolean => byte !== NEWLINE && !BLANK.has(byte);
const lastTextOf = (chunk: Buffer): number => chunk.findLastIndex(isText);
