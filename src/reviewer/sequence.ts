/** Finds the next `seq` for the events of a pull request in a log. */
import { ReviewerTelemetryError } from '../error/index.js';
import { LongLine, linesOf } from '../ndjson/line-reader.js';
import { threadMap } from '../realm/thread-map.js';
import { MAX_REVIEWER_LINE_BYTES } from '../schema/bounds.js';
import { lifecycleEventOfLine } from './lifecycle-event.js';
import { closeStream, openStream, type StreamFile } from './stream-view.js';

/** The file that was read last, and the offset of its next line. */
interface Known {
  readonly identity: string;
  readonly offset: number;
}

/** The highest seq given out in this thread, by log and pull request. */
const given = threadMap<string, bigint>('reviewer-seq');

class LogSequence {
  readonly #path: string;
  /** The highest seq read from the log, by pull request. */
  readonly #latest = new Map<number, bigint>();
  #known: Known | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  next(prNumber: number): Promise<bigint> {
    const next = this.#last.then(async () => {
      await this.#catchUp();
      const key = `${prNumber} ${this.#path}`;
      const read = this.#latest.get(prNumber) ?? 0n;
      const before = given.get(key) ?? 0n;
      const seq = (read > before ? read : before) + 1n;
      given.set(key, seq);
      return seq;
    });
    this.#last = next.catch(() => {});
    return next;
  }

  /** Reads the lines added since the last call. */
  async #catchUp(): Promise<void> {
    const files = await openStreamIfThere(this.#path);
    try {
      const identities = await Promise.all(files.map(identityOf));
      const known = this.#known === null ? -1 : identities.indexOf(this.#known.identity);
      for (const [index, file] of files.entries()) {
        if (index < known) continue;
        const from = index === known ? (this.#known?.offset ?? 0) : 0;
        const offset = await this.#read(file, from <= file.size ? from : 0);
        this.#known = { identity: identities[index] as string, offset };
      }
    } finally {
      await closeStream(files);
    }
  }

  /**
   * Returns the offset of the next line. Malformed lines are skipped, because events are still appended to a malformed
   * log. Lines after one that is too long are not read.
   */
  async #read({ handle, size }: StreamFile, from: number): Promise<number> {
    let offset = from;
    try {
      for await (const line of linesOf(handle, MAX_REVIEWER_LINE_BYTES, size, from)) {
        this.#take(line.bytes);
        if (!line.isTorn) offset += line.bytes.length + 1;
      }
    } catch (cause) {
      if (!(cause instanceof LongLine)) throw cause;
    }
    return offset;
  }

  #take(bytes: Buffer): void {
    try {
      const event = lifecycleEventOfLine(bytes);
      if (event === null) return;
      const latest = this.#latest.get(event.prNumber) ?? 0n;
      if (event.seq > latest) this.#latest.set(event.prNumber, event.seq);
    } catch {
      // Readers report the error.
    }
  }
}

const sequences = new Map<string, LogSequence>();

/**
 * Returns one more than the highest seq in the log or given out in this thread. Another process that asks at the same
 * time gets the same.
 *
 * Rejects with `ERR_REVIEWER_IO`.
 */
export function nextSeqOf(path: string, prNumber: number): Promise<bigint> {
  const known = sequences.get(path);
  const sequence = known ?? new LogSequence(path);
  if (known === undefined) sequences.set(path, sequence);
  return sequence.next(prNumber);
}

async function openStreamIfThere(path: string): Promise<readonly StreamFile[]> {
  try {
    return await openStream(path);
  } catch (cause) {
    const isMissing =
      cause instanceof ReviewerTelemetryError && cause.code === 'ERR_REVIEWER_MISSING';
    if (isMissing) return [];
    throw cause;
  }
}

async function identityOf({ handle }: StreamFile): Promise<string> {
  const { dev, ino, birthtimeNs } = await handle.stat({ bigint: true });
  // The inode number of a removed file is soon reused.
  return `${dev}:${ino}:${birthtimeNs}`;
}
