/**
 * Writing to stdout and stderr without `process.stdout` and `process.stderr`: those would make a pipe non-blocking
 * for the command too, which shares it.
 */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { codeOf } from '../realm/index.js';

export function writeOut(text: string): void {
  writeAll(1, text);
}

export function writeErr(text: string): void {
  writeAll(2, text);
}

/** One clear line about this run. */
export function complain(message: string): void {
  writeErr(`episcope: ${message}\n`);
}

/** Colours for one stream; plain text where nobody would see them. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  warn(text: string): string;
}

export const PLAIN: Paint = { bold: same, dim: same, warn: same };

const COLOURED: Paint = {
  bold: (text) => `\x1b[1m${text}\x1b[22m`,
  dim: (text) => `\x1b[2m${text}\x1b[22m`,
  warn: (text) => `\x1b[33m${text}\x1b[39m`,
};

/** Colours only on a terminal, and never with NO_COLOR (no-color.org: set and not empty). */
export function paintFor(fd: 1 | 2, env: NodeJS.ProcessEnv = process.env): Paint {
  return isatty(fd) && !env.NO_COLOR ? COLOURED : PLAIN;
}

function same(text: string): string {
  return text;
}

/** Gives up on a reader that takes nothing: the command's exit status matters more than our words. */
const MAX_BUSY_WRITES = 1_000;

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  let at = 0;
  for (let busy = 0; at < bytes.length && busy < MAX_BUSY_WRITES; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (cause) {
      // The command may have made the stream non-blocking; anything else means that nobody reads.
      if (codeOf(cause) !== 'EAGAIN') return;
      busy += 1;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
