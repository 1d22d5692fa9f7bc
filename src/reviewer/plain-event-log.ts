/**
 * Writes the log without the addon: as `native/core/event_log.cc`, but without a lock, because Node has no `flock`. So
 * it is for one process only, which the caller must request.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { inTurn } from '../async/in-turn.js';
import { errnoOf } from '../kernel/errno.js';
import { makeDirectories } from '../ndjson/directories.js';
import { isAt } from '../ndjson/open-regular.js';
import { RegularFile } from '../ndjson/regular-file.js';
import { pathOf } from '../realm/index.js';
import type { LogCancel } from '../schema/enumerations.js';
import type { EventLog, LogFailure } from './event-log.js';
import { realPathOf } from './paths.js';
import { syncDirectories } from './sync-directories.js';
import { endOfLog } from './torn-tail.js';

const FLAGS =
  constants.O_RDWR |
  constants.O_CREAT |
  constants.O_APPEND |
  constants.O_NONBLOCK |
  constants.O_NOCTTY |
  constants.O_NOFOLLOW;

interface Waiting {
  readonly line: Buffer;
  readonly rotateBytes: number;
  readonly end: (failure: LogFailure | null) => void;
}

interface Opened {
  readonly handle: FileHandle;
  readonly file: RegularFile;
}

export class PlainEventLog implements EventLog {
  readonly #path: string;
  #waiting: Waiting[] = [];
  #isServing = false;

  constructor(path: string) {
    this.#path = path;
  }

  append(
    line: string,
    rotateBytes: number,
    end: (failure: LogFailure | null) => void,
  ): () => LogCancel {
    const waiting = { line: Buffer.from(line), rotateBytes, end };
    this.#waiting.push(waiting);
    if (!this.#isServing) void this.#serve();
    return () => {
      const left = this.#waiting.filter((each) => each !== waiting);
      if (left.length === this.#waiting.length) return 'too-late';
      this.#waiting = left;
      return 'write';
    };
  }

  /** Writes all waiting lines together, and then those that came meanwhile. */
  async #serve(): Promise<void> {
    this.#isServing = true;
    while (this.#waiting.length > 0) {
      // Serialized by the file itself, as with `flock`, even if it is known by several names.
      await inTurn(await realPathOf(this.#path), () => this.#serveAll());
    }
    this.#isServing = false;
  }

  async #serveAll(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    let durable = 0;
    let failure: LogFailure | null = null;
    try {
      while (durable < batch.length) durable += await this.#writeSome(batch.slice(durable));
    } catch (cause) {
      failure = this.#failureOf(cause);
      if (cause instanceof PartlyWritten) durable += cause.lines;
    }
    for (const [index, { end }] of batch.entries()) end(index < durable ? null : failure);
  }

  /** Writes lines from the first on and returns their number; 0 if the file was full and is now rotated. */
  async #writeSome(lines: readonly Waiting[]): Promise<number> {
    const opened = await this.#ready();
    try {
      if (opened.file.size <= (lines[0]?.rotateBytes ?? 0)) return await this.#write(opened, lines);
      await this.#rotate(opened.handle);
      return 0;
    } finally {
      await opened.handle.close();
    }
  }

  /** Opens the current file, ending with a whole line. */
  async #ready(): Promise<Opened> {
    const handle = await this.#open();
    try {
      const found = await handle.stat();
      if (!found.isFile()) throw new Refused('not-regular');
      const size = found.size === 0 ? 0 : await repaired(handle, found.size);
      // No line in it was ever acknowledged, so its name may never have been synced.
      if (size === 0) await syncDirectories(dirname(this.#path));
      return { handle, file: new RegularFile(handle, size) };
    } catch (cause) {
      await handle.close();
      throw cause;
    }
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(this.#path, FLAGS, 0o666);
    } catch (cause) {
      if (errnoOf(cause) === 'ELOOP') throw new Refused('link');
      if (errnoOf(cause) !== 'ENOENT') throw cause;
    }
    await makeDirectories(dirname(this.#path));
    return open(this.#path, FLAGS, 0o666);
  }

  async #rotate(full: FileHandle): Promise<void> {
    const rotated = `${this.#path}.1`;
    // A writer that was killed may have left lines that were never synced.
    await full.datasync();
    await rename(this.#path, rotated).catch((cause: unknown) => {
      throw Object.assign(new Error(String(cause)), { code: errnoOf(cause), path: rotated });
    });
    // If both names refer to one file, rename does nothing: without this the file would stay full for ever.
    if (await isAt(this.#path, full)) await unlink(this.#path);
    await syncDirectories(dirname(this.#path));
  }

  /** Writes the lines that fit into this file and returns their number. */
  async #write({ handle, file }: Opened, lines: readonly Waiting[]): Promise<number> {
    let { size } = file;
    let count = 0;
    for (const { line, rotateBytes } of lines) {
      if (count > 0 && size > rotateBytes) break;
      size += line.length;
      count += 1;
    }
    const before = file.size;
    const written = await file.append(lines.slice(0, count).map(({ line }) => line));
    try {
      await handle.datasync();
    } catch (cause) {
      // These lines are not acknowledged and may be appended again, so remove them.
      await file.cut(before).catch(() => {});
      throw cause;
    }
    if (written.error !== null) throw new PartlyWritten(written.lines, written.error);
    return count;
  }

  #failureOf(thrown: unknown): LogFailure {
    const cause = thrown instanceof PartlyWritten ? thrown.cause : thrown;
    const isOfRotated = pathOf(cause) === `${this.#path}.1`;
    const file = isOfRotated ? `${this.#path}.1` : this.#path;
    if (cause instanceof Refused) {
      return { file, errno: cause.why === 'link' ? 'ELOOP' : null, why: cause.why };
    }
    return { file, errno: errnoOf(cause), why: 'errno' };
  }
}

/** Some lines are on disk; the others failed with `cause`. */
class PartlyWritten extends Error {
  readonly lines: number;

  constructor(lines: number, cause: unknown) {
    super('not all lines were written', { cause });
    this.lines = lines;
  }
}

class Refused extends Error {
  readonly why: LogFailure['why'];

  constructor(why: LogFailure['why']) {
    super(why);
    this.why = why;
  }
}

/** Repairs the end of the file and returns its size, so that it ends with a whole line. */
async function repaired(handle: FileHandle, size: number): Promise<number> {
  const end = await endOfLog(handle, size);
  switch (end.what) {
    case 'nothing':
      return size;
    case 'newline':
      await handle.write('\n', size);
      return size + 1;
    case 'cut':
      await handle.truncate(end.at);
      return end.at;
    case 'foreign':
      throw new Refused('foreign');
  }
}
