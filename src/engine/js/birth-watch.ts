/**
 * Decides how a sample finds the children born since the last one, at a cost proportional to what changed. A process
 * with thousands of threads has as many child lists, and none of them shows whether it changed. But every new task
 * takes the next pid, and `/proc/loadavg` shows the last one: in a large tree only the pids assigned since the last
 * sample are checked. The twin of `native/core/birth_watch.cc`.
 */
import { KeptFile, ReadStatus, readBuffer } from '../../kernel/kept-file.js';
import type { ProcRoot } from '../../kernel/process-directory.js';
import { close, openDirectoryPath } from '../../kernel/syscall.js';
import {
  BIRTH_FEW_LISTS,
  BIRTH_FORCED_SHARE,
  BIRTH_LISTS_PER_BIRTH,
  BIRTH_REGULAR_NS,
  BIRTH_REGULAR_SHARE,
} from '../../schema/bounds.js';

export const Search = {
  /** Read every child list. */
  LISTS: 0,
  /** Check the newly assigned pids. */
  BIRTHS: 1,
  /** Too many pids were assigned, and the lists were read too recently to read them again: children may be missing. */
  NONE: 2,
} as const;
export type SearchValue = (typeof Search)[keyof typeof Search];

export class BirthWatch {
  /** For BIRTHS: the pids to check, parents before children. */
  born: number[] = [];

  readonly #root: ProcRoot;
  readonly #loadavg = new KeptFile('loadavg');
  /** null if unknown. */
  #lastPid: number | null = null;
  #beganNs = 0n;
  /** When the lists were last read; null if never. */
  #endedNs: bigint | null = null;
  #costNs = 0n;
  /** Pids that did not exist at this sample and are to be checked once more. */
  #late: number[] = [];
  /** Number of pids at the start of `born` that are checked for the second time. */
  #retried = 0;

  constructor(root: ProcRoot) {
    this.#root = root;
  }

  /** Starts a sample and returns how it should find children. `lists` is the number of child lists. */
  begin(lists: bigint, nowNs: bigint): SearchValue {
    this.#beganNs = nowNs;
    this.born = [];
    // The loadavg of a recorded tree does not show births.
    if (lists <= BigInt(BIRTH_FEW_LISTS) || !this.#root.samePids) {
      this.#lastPid = null;
      return Search.LISTS;
    }
    const before = this.#lastPid;
    const now = this.#readLastPid();
    // Pids wrap around; the number of pids assigned across a wrap is unknown.
    const known = before !== null && now !== null && now >= before;
    const few = known && now - before <= Number(lists) / BIRTH_LISTS_PER_BIRTH;
    // The first sample with many lists has no earlier pid to count from.
    if ((before === null && now !== null) || this.#isDue(nowNs, few)) {
      this.#lastPid = now;
      this.#late = [];
      return Search.LISTS;
    }
    if (!few) return Search.NONE;
    this.#listBorn(before, now);
    this.#lastPid = now;
    return Search.BIRTHS;
  }

  /** Records that the lists have been read since `begin`. */
  searched(nowNs: bigint): void {
    this.#costNs = nowNs - this.#beganNs;
    this.#endedNs = nowNs;
  }

  /** Records that no process has this pid yet. Its birth may be in progress, so the next sample checks it once more. */
  notThere(pid: number): void {
    if (this.born.indexOf(pid) >= this.#retried) this.#late.push(pid);
  }

  close(): void {
    this.#loadavg.close();
  }

  #isDue(nowNs: bigint, few: boolean): boolean {
    if (this.#endedNs === null) return true;
    const since = nowNs - this.#endedNs;
    const share = few ? BigInt(BIRTH_REGULAR_SHARE) : BigInt(BIRTH_FORCED_SHARE);
    return since >= this.#costNs * share && (!few || since >= BIRTH_REGULAR_NS);
  }

  #listBorn(from: number, to: number): void {
    this.born = this.#late;
    this.#late = [];
    this.#retried = this.born.length;
    for (let pid = from + 1; pid <= to; pid++) this.born.push(pid);
  }

  /** Returns the last number of `0.20 0.18 0.12 1/80 11206`, or null if it cannot be read. */
  #readLastPid(): number | null {
    const fd = this.#loadavg.isKept ? -1 : openDirectoryPath(this.#root.path);
    const status = this.#loadavg.read(fd);
    if (fd >= 0) close(fd);
    if (status !== ReadStatus.OK) return null;
    const text = Buffer.from(readBuffer.bytes.buffer, 0, readBuffer.size).toString('latin1');
    const pid = / (\d{1,10})\n?$/.exec(text)?.[1];
    return pid === undefined ? null : Number(pid);
  }
}
