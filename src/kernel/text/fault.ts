import type { ParseReason } from '../../schema/enumerations.js';

/** Why text was refused, and at which byte. */
export interface ParseFault {
  readonly ok: false;
  readonly offset: number;
  readonly reason: ParseReason;
}

/**
 * A parser fills `values` (in its own fixed order; null if an optional key is absent) from the first `length` bytes
 * of `text`. After a fault, `values` is meaningless.
 */
export type TextParser = (
  text: Uint8Array,
  length: number,
  values: (bigint | null)[],
) => ParseFault | null;

export function fault(offset: number, reason: ParseReason): ParseFault {
  return { ok: false, offset, reason };
}

export const NEWLINE = 0x0a;
export const SPACE = 0x20;

/** The offset of the next newline, or `length`. Not `indexOf`, because bytes of earlier texts follow the text. */
export function lineEnd(text: Uint8Array, start: number, length: number): number {
  let at = start;
  while (at < length && text[at] !== NEWLINE) at++;
  return at;
}

/** The offset of the next `byte` before `limit`, or `limit`. */
export function find(text: Uint8Array, byte: number, start: number, limit: number): number {
  let at = start;
  while (at < limit && text[at] !== byte) at++;
  return at;
}

/** The bytes of an ASCII name, for comparison. */
export function ascii(name: string): Uint8Array {
  return Uint8Array.from(name, (char) => char.charCodeAt(0));
}

/** Whether the text from `start` up to `limit` begins with `name`. */
export function startsWith(
  text: Uint8Array,
  name: Uint8Array,
  start: number,
  limit: number,
): boolean {
  if (limit - start < name.length) return false;
  for (let i = 0; i < name.length; i++) {
    if (text[start + i] !== name[i]) return false;
  }
  return true;
}
