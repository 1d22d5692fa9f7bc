/**
 * The process that reaps the orphans of a tree without belonging to it (`episcope run` as subreaper). Its own
 * consumption does not count; what it reaps counts from `open` on.
 */

import { saturatingSub } from '../../frame/saturate.js';
import type { ProcRoot } from '../../kernel/process-directory.js';
import { RUSAGE_BLOCK_BYTES } from '../../schema/bounds.js';
import { Channel, PartBit } from '../../schema/enumerations.js';
import { LedgerRow } from './ledger.js';
import { Member } from './member.js';

export class Reaper {
  readonly pid: number;
  readonly #process: Member;
  /** The raw values of its files. */
  readonly #raw: LedgerRow;
  readonly #baseline: readonly bigint[];

  /** Reads the baseline, because children that were reaped earlier do not belong to the tree. */
  constructor(root: ProcRoot, pid: number) {
    this.pid = pid;
    this.#process = new Member(root, pid);
    this.#raw = new LedgerRow(pid, 0n, Channel.COUNT);
    this.#process.row = this.#raw;
    this.#read(PartBit.ALL);
    this.#baseline = [...this.#raw.reaped];
    this.#process.directory.leave();
  }

  /** Stores what the reaper reaped since the baseline. Returns false if a file could not be read. */
  store(parts: number, row: LedgerRow): boolean {
    const read = this.#read(parts);
    for (let c = 0; c < Channel.COUNT; c++) {
      row.store(c, 0n, saturatingSub(this.#raw.reaped[c]!, this.#baseline[c]!));
    }
    this.#process.directory.leave();
    return read;
  }

  /** Appends the children of the reaper. Returns false if a list could not be read completely. */
  children(pids: number[]): boolean {
    if (this.#process.directory.enter() < 0) return false;
    const listed = this.#process.directory.children(pids);
    this.#process.directory.leave();
    return listed;
  }

  close(): void {
    this.#process.directory.close();
  }

  #read(parts: number): boolean {
    if (!this.#process.refresh(parts) || this.#process.statFailure !== null) return false;
    this.#process.store(parts & ~PartBit.IO);
    if ((parts & PartBit.IO) !== 0 && this.#process.ioFailure === null) this.#storeIo();
    return true;
  }

  // `io` includes the reaper's own bytes and those of its reaped children; its own are subtracted. They are read
  // second, so that bytes it transfers in between are never attributed to a child.
  #storeIo(): void {
    const whole = new LedgerRow(this.pid, 0n, Channel.COUNT);
    this.#process.row = whole;
    this.#process.store(PartBit.IO);
    this.#process.row = this.#raw;
    const { fsRead, fsWrite } = process.resourceUsage();
    for (const [channel, blocks] of [
      [Channel.IO_READ, fsRead],
      [Channel.IO_WRITE, fsWrite],
    ] as const) {
      const own = BigInt(blocks * RUSAGE_BLOCK_BYTES);
      this.#raw.store(channel, 0n, saturatingSub(whole.reaped[channel]!, own));
    }
  }
}
