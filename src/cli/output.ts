/**
 * Writes to stdout and stderr without `process.stdout` and `process.stderr`, which would make a pipe non-blocking for
 * the command too, because it shares the pipe.
 */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { codeOf } from '../realm/index.js';

export function writeOut(text: string): void {
  writeIfRead(1, text);
}

export function writeErr(text: string): void {
  writeIfRead(2, text);
}

/** Writes one line about this run to stderr. */
export function complain(message: string): void {
  writeErr(`episcope: ${message}\n`);
}

/** Colours for one stream; plain text if it is not a terminal. */
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

/** Returns colours only on a terminal, and never with NO_COLOR (no-color.org: set and not empty). */
export function paintFor(fd: 1 | 2, env: NodeJS.ProcessEnv = process.env): Paint {
  return isatty(fd) && !env.NO_COLOR ? COLOURED : PLAIN;
}

function same(text: string): string {
  return text;
}

/** How many times one write waits 1 ms for the reader of a full pipe. */
const MAX_BUSY_WRITES = 1_000;

/** Throws the system error; `EAGAIN` if the reader of a pipe does not read. */
export function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0, busy = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (cause) {
      busy += 1;
      if (codeOf(cause) !== 'EAGAIN' || busy > MAX_BUSY_WRITES) throw cause;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Gives up if the output is not read: the command's exit status matters more than this output. */
function writeIfRead(fd: number, text: string): void {
  try {
    writeAll(fd, text);
  } catch {}
}
