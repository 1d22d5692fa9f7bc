/** The file that is recorded into: one that can be rotated, or a stream. */

/** What became of lines. */
export interface Appended {
  /** How many of them are in the file whole, from the first on. */
  readonly lines: number;
  /** What the kernel said about the others, null where there are none. */
  readonly error: unknown;
}

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
