/**
 * What a process tree consumed, the children that ended between two samples included. Pure: it is told what was
 * read and does no reading. The twin of `native/core/ledger.cc`; both run `test/tables/ledger.txt`.
 *
 * The kernel adds a process's time to its parent's "reaped" counters when the parent waits for it. So a process
 * that we watched appears a second time, in its parent; a process that we never saw appears only there. Per
 * sample:
 *
 * - A. `LedgerRow.store` what was read; `vanish` for rows that are gone.
 * - B. `settle`: each vanished row, deepest first, leaves its parent a credit of all that it stands for. That
 *      much of the parent's next growth of reaped time is known already.
 * - C. The total grows by what each row's own counters grew, and its reaped counters beyond the credit.
 */
import { saturatingAdd, saturatingSub } from './saturate.js';

/** One process, known by (pid, starttime): a pid number is used again, with another starttime. */
export class LedgerRow {
  readonly pid: number;
  readonly starttime: bigint;
  /** By the last sample in which the process was read. */
  ppid = 0;
  /** The row that `ppid` named at the last settle: a number that is used again since then is not the parent. */
  parent: LedgerRow | null = null;
  readonly own: bigint[];
  readonly reaped: bigint[];
  readonly countedOwn: bigint[];
  readonly countedReaped: bigint[];
  /** Reaped time to come that is in the total already. */
  readonly credit: bigint[];
  vanished = false;

  constructor(pid: number, starttime: bigint, channels: number) {
    this.pid = pid;
    this.starttime = starttime;
    const zeros = (): bigint[] => Array.from({ length: channels }, () => 0n);
    this.own = zeros();
    this.reaped = zeros();
    this.countedOwn = zeros();
    this.countedReaped = zeros();
    this.credit = zeros();
  }

  /** Counters never go back, whatever the kernel's scaling does to them. */
  store(channel: number, own: bigint, reaped: bigint): void {
    if (own > this.own[channel]!) this.own[channel] = own;
    if (reaped > this.reaped[channel]!) this.reaped[channel] = reaped;
  }
}

export class Ledger {
  /** One sum per channel; never decreasing, saturating at 2^63 − 1. */
  readonly totals: bigint[];
  readonly #rows = new Map<number, LedgerRow>();
  #vanished: LedgerRow[] = [];
  #anyVanished = false;

  constructor(channels: number) {
    this.totals = Array.from({ length: channels }, () => 0n);
  }

  /** A row has vanished at some sample: what it used after it was last seen may be missing. */
  get anyVanished(): boolean {
    return this.#anyVanished;
  }

  /** A new row. It counts from 0: its whole life belongs to the tree. */
  add(pid: number, starttime: bigint): LedgerRow {
    const row = new LedgerRow(pid, starttime, this.totals.length);
    this.#rows.set(pid, row);
    return row;
  }

  /** The process is gone, or is in its last moment (state `X`). Its row leaves at the next `settle`. */
  vanish(row: LedgerRow): void {
    if (row.vanished) return;
    row.vanished = true;
    this.#vanished.push(row);
    this.#anyVanished = true;
  }

  /** The process left the episode alive: what it consumed stays in the total, and nobody is credited. */
  leave(row: LedgerRow): void {
    this.#count(row);
    this.#remove(row);
  }

  /** Steps B and C: brings `totals` up to date with what was stored. */
  settle(): void {
    this.#creditVanished();
    for (const row of this.#rows.values()) this.#count(row);
    for (const row of this.#rows.values()) {
      const parent = this.#rows.get(row.ppid) ?? null;
      row.parent = parent === row ? null : parent;
    }
  }

  // Deepest first, so that what a grandchild left is in its parent's account before that is passed on.
  #creditVanished(): void {
    const gone = this.#vanished.map((row) => ({ row, depth: this.#depth(row) }));
    gone.sort((a, b) => b.depth - a.depth);
    for (const { row } of gone) {
      const { parent } = row;
      for (let c = 0; parent !== null && c < this.totals.length; c++) {
        const whole = saturatingAdd(saturatingAdd(row.own[c]!, row.reaped[c]!), row.credit[c]!);
        parent.credit[c] = saturatingAdd(parent.credit[c]!, whole);
      }
      this.#remove(row);
    }
    this.#vanished = [];
  }

  // Hot: most channels of most rows did not move.
  #count(row: LedgerRow): void {
    for (let c = 0; c < this.totals.length; c++) {
      const own = row.own[c]!;
      const reaped = row.reaped[c]!;
      if (own !== row.countedOwn[c]!) {
        this.#grow(c, own - row.countedOwn[c]!);
        row.countedOwn[c] = own;
      }
      if (reaped !== row.countedReaped[c]!) {
        const growth = reaped - row.countedReaped[c]!;
        const credit = row.credit[c]!;
        this.#grow(c, saturatingSub(growth, credit));
        row.credit[c] = saturatingSub(credit, growth);
        row.countedReaped[c] = reaped;
      }
    }
  }

  #grow(channel: number, by: bigint): void {
    this.totals[channel] = saturatingAdd(this.totals[channel]!, by);
  }

  // Vanished ancestors only: no credit passes through a row that lives. Bounded, since the links come from text
  // that may lie.
  #depth(row: LedgerRow): number {
    let depth = 0;
    for (
      let at = row.parent;
      at?.vanished === true && depth < this.#vanished.length;
      at = at.parent
    ) {
      depth++;
    }
    return depth;
  }

  #remove(row: LedgerRow): void {
    row.parent = null;
    if (this.#rows.get(row.pid) === row) this.#rows.delete(row.pid);
  }
}
