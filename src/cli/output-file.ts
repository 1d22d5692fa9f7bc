/** `--record`, `--json`: files that are opened before the command runs and written with plain blocking writes. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { TelemetryFrame } from '../frame/index.js';
import { errnoOf } from '../host/cgroup-files.js';

/** A file of text. The first failed write is told once and ends it; the run goes on. */
export class OutputFile {
  readonly #path: string;
  readonly #warn: (message: string) => void;
  #fd: number | null;

  /** Throws what `open` says: a file that cannot be had is told before anything is run. */
  constructor(path: string, warn: (message: string) => void) {
    this.#path = path;
    this.#warn = warn;
    this.#fd = openSync(path, 'w');
  }

  write(text: string): void {
    if (this.#fd === null) return;
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (cause) {
      this.#warn(`cannot write ${this.#path} (${errnoOf(cause)}); nothing more is written to it`);
      this.close();
    }
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

/** One frame a line. */
export function framesToNdjson(frames: readonly TelemetryFrame<bigint>[]): string {
  return frames.map((frame) => `${frame.toNDJSON()}\n`).join('');
}
