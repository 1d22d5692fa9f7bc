/** How a log ends, which a crash may have left within a line: as `native/core/event_log.cc` looks at it. */
import type { FileHandle } from 'node:fs/promises';
import { endOfLast, lastNewlineOf } from '../ndjson/line-reader.js';
import { MAX_REVIEWER_LINE_BYTES } from '../schema/bounds.js';

const NEWLINE = 0x0a;
const OBJECT = 0x7b;
/** As readers take it, who pass over blank lines. */
const BLANK = new Set([...' \t\r'].map((character) => character.charCodeAt(0)));
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

/** Decides what to do about the end of a file of `size` bytes, which is not 0. */
export type EndOfLog =
  | { readonly what: 'nothing' }
  /** Only a newline is missing, which others write by itself. */
  | { readonly what: 'newline' }
  | { readonly what: 'cut'; readonly at: number }
  /** It ends within a line that no writer of such a log began. */
  | { readonly what: 'foreign' };

export async function endOfLog(handle: FileHandle, size: number): Promise<EndOfLog> {
  const linesEnd = await endOfLast(lastNewlineOf, handle, size);
  const textEnd = await endOfLast(lastTextOf, handle, size);
  // Of the last line that is not blank: an event cut short may have blank lines behind it.
  const start = await endOfLast(lastNewlineOf, handle, textEnd);
  const line = Buffer.alloc(Math.min(textEnd - start, MAX_REVIEWER_LINE_BYTES + 1));
  await handle.read(line, 0, line.length, start);
  const text = line.subarray(Math.max(0, line.findIndex(isText)));
  // A longer line is not checked: readers refuse it anyway.
  const shape = line.length > MAX_REVIEWER_LINE_BYTES ? 'other' : shapeOf(text);
  // Readers forgive it only while nothing stands behind it.
  if (shape === 'cut short') return { what: 'cut', at: start };
  if (linesEnd === size) return { what: 'nothing' };
  if (shape === 'whole' || linesEnd >= textEnd) return { what: 'newline' };
  // A crash of the machine may leave zeros. What begins otherwise is not ours to cut.
  const isOurs = text[0] === OBJECT || text[0] === 0;
  return isOurs ? { what: 'cut', at: start } : { what: 'foreign' };
}

const isText = (byte: number): boolean => byte !== NEWLINE && !BLANK.has(byte);
const lastTextOf = (chunk: Buffer): number => chunk.findLastIndex(isText);
