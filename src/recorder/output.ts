/** The file that is recorded into: one that can be rotated, or a stream. */
import type { Appended } from '../ndjson/regular-file.js';

export interface Output {
  /** Bytes of the lines in it. */
  readonly size: number;
  readonly isRegular: boolean;
  /** Nothing more can come of it: it is to be closed and opened again. */
  readonly isBroken: boolean;
  /** Whole lines, each with its newline. Never throws. */
  append(lines: readonly Buffer[]): Promise<Appended>;
  close(): Promise<void>;
}
