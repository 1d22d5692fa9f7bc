/**
 * How the children that were born since the last sample are found, so that the cost follows what changed. A process of
 * thousands of threads has as many lists of children, and none of them tells whether it changed. But whoever is born
 * takes the next pid, and `/proc/loadavg` tells the last one: of a large tree only the numbers are looked at that were
 * handed out since. The twin of `native/core/birth_watch.cc`.
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
  /** Read every list of children. */
  LISTS: 0,
  /** Look at the numbers that were handed out. */
  BIRTHS: 1,
  /** Too much was born, and the lists were read too lately: some may be missing. */
  NONE: 2,
} as const;
export type SearchValue = (typeof Search)[keyof typeof Search];

export class BirthWatch {
  /** For BIRTHS: the numbers to look at, parents before children. */
  born: number[] = [];

  readonly #root: ProcRoot;
  readonly #loadavg = new KeptFile('loadavg');
  /** null: not known. */
  #lastPid: number | null = null;
  #beganNs = 0n;
  /** When the lists were read last; null: never. */
  #endedNs: bigint | null = null;
  #costNs = 0n;
  /** Not there at this sample, and not looked for a second time. */
  #late: number[] = [];
  /** How many of `born` are looked for a second time. */
  #retried = 0;

  constructor(root: ProcRoot) {
    this.#root = root;
  }

  /** A sample begins: how it is to look for children. `lists`: how many lists of children there are. */
  begin(lists: bigint, nowNs: bigint): SearchValue {
    this.#beganNs = nowNs;
    this.born = [];
    // Of a recorded tree nothing tells of births.
    if (lists <= BigInt(BIRTH_FEW_LISTS) || !this.#root.samePids) {
      this.#lastPid = null;
      return Search.LISTS;
    }
    const before = this.#lastPid;
    const now = this.#readLastPid();
    // The numbers begin anew at their end: then it is not known how many they were.
    const known = before !== null && now !== null && now >= before;
    const few = known && now - before <= Number(lists) / BIRTH_LISTS_PER_BIRTH;
    // The first sample at which they are many has nothing to count births from.
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

  /** The lists were read, from the begin on. */
  searched(nowNs: bigint): void {
    this.#costNs = nowNs - this.#beganNs;
    this.#endedNs = nowNs;
  }

  /** Nothing is there by the number yet: a birth may be under way, and it is looked at once more. */
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

  /** The last number of `0.20 0.18 0.12 1/80 11206`; null where it is not told. */
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
