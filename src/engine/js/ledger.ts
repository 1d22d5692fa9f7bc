/**
 * Sums what a process tree consumed, including children that started and exited between two samples. It does no I/O:
 * the caller stores the values that were read. The twin of `native/core/ledger.cc`; both run `test/tables/ledger.txt`.
 *
 * When a parent waits for a child, the kernel adds the child's time to the "reaped" counters of the parent. A process
 * that we watched therefore appears a second time in its parent, and a process that we never saw appears only there.
 * Each sample has three steps:
 *
 * - A. The caller passes the values to `LedgerRow.store`, and calls `vanish` for rows whose process has exited.
 * - B. `settle` credits the parent of each vanished row, deepest first, with everything the row stands for. That much
 *      of the parent's next growth in reaped time is already in the total. If a whole branch exited between two
 *      samples, the share that passed through a vanished row may reach the reaper instead, because the reaper reaps
 *      orphans.
 * - C. `settle` adds to the total the growth of each row's own counters, and the growth of its reaped counters beyond
 *      its credit.
 */
import { saturatingAdd, saturatingSub } from '../../frame/saturate.js';

/** One process, identified by (pid, starttime), because the kernel reuses pids. */
export class LedgerRow {
  readonly pid: number;
  readonly starttime: bigint;
  /** As of the last sample that read the process. */
  ppid = 0;
  /** The row that had the pid `ppid` at the last settle. A process that has reused the pid since is not the parent. */
  parent: LedgerRow | null = null;
  readonly own: bigint[];
  readonly reaped: bigint[];
  readonly countedOwn: bigint[];
  readonly countedReaped: bigint[];
  /** Future growth of the reaped counters that is already in the total. */
  readonly credit: bigint[];
  /** The share of the credit that passed through a vanished row. */
  readonly inherited: bigint[];
  vanished = false;
  /** The process left the episode alive; its row is removed at the next settle. */
  leaving = false;

  constructor(pid: number, starttime: bigint, channels: number) {
    this.pid = pid;
    this.starttime = starttime;
    const zeros = (): bigint[] => Array.from({ length: channels }, () => 0n);
    this.own = zeros();
    this.reaped = zeros();
    this.countedOwn = zeros();
    this.countedReaped = zeros();
    this.credit = zeros();
    this.inherited = zeros();
  }

  /** Whether the next settle removes the row. */
  get ends(): boolean {
    return this.vanished || this.leaving;
  }

  /** Stores the counters of a channel. Never lowers them, because scaling in the kernel can make them decrease. */
  store(channel: number, own: bigint, reaped: bigint): void {
    if (own > this.own[channel]!) this.own[channel] = own;
    if (reaped > this.reaped[channel]!) this.reaped[channel] = reaped;
  }
}

export class Ledger {
  /** One sum per channel. Never decreases; saturates at 2^63 − 1. */
  readonly totals: bigint[];
  /** The row of the process that reaps the orphans of the tree. Its own time does not count. */
  reaper: LedgerRow | null = null;
  readonly #rows = new Map<number, LedgerRow>();
  #ended: LedgerRow[] = [];
  /** Rows that left the episode alive, by pid. */
  readonly #left = new Map<number, LedgerRow>();
  #anyVanished = false;

  constructor(channels: number) {
    this.totals = Array.from({ length: channels }, () => 0n);
  }

  /** Whether any row has vanished so far: what it used after its last sample may be missing. */
  get anyVanished(): boolean {
    return this.#anyVanished;
  }

  /** Adds a row that counts from 0, because the tree owns its whole lifetime. A process that had left continues. */
  add(pid: number, starttime: bigint): LedgerRow {
    const left = this.#left.get(pid);
    this.#left.delete(pid);
    const goesOn = left?.starttime === starttime;
    const row = goesOn ? left : new LedgerRow(pid, starttime, this.totals.length);
    if (goesOn) this.#takeBack(left);
    this.#rows.set(pid, row);
    return row;
  }

  /** Marks the row of a process that has exited or is exiting (state `X`). The next `settle` removes it. */
  vanish(row: LedgerRow): void {
    if (row.ends) return;
    row.vanished = true;
    this.#ended.push(row);
    this.#anyVanished = true;
  }

  /**
   * Marks the row of a process that left the episode alive. What it consumed stays in the total. With a reaper, its
   * parent (or else the reaper) is credited, since it will reap the process. The next `settle` removes the row; it
   * continues if it is added again.
   */
  leave(row: LedgerRow): void {
    if (row.ends) return;
    row.leaving = true;
    this.#ended.push(row);
  }

  /** Runs steps B and C: updates `totals` with the stored values. */
  settle(): void {
    this.#creditEnded();
    // The reaper comes last: what it reaped of an exited branch follows from what the other rows did not reap.
    for (const row of this.#rows.values()) if (row !== this.reaper) this.#count(row);
    if (this.reaper !== null) {
      this.#moveInherited(this.reaper);
      this.#count(this.reaper);
    }
    for (const row of this.#rows.values()) {
      const parent = this.#rows.get(row.ppid) ?? null;
      row.parent = parent === row ? null : parent;
    }
  }

  // Deepest first, so that a grandchild's credit reaches its parent before the parent's own credit is passed on.
  #creditEnded(): void {
    if (this.#ended.length === 0) return;
    const ended = this.#ended.map((row) => ({ row, depth: this.#depth(row) }));
    ended.sort((a, b) => b.depth - a.depth);
    for (const { row } of ended) {
      const heir = this.#heirOf(row);
      for (let c = 0; heir !== null && c < this.totals.length; c++) {
        const credit = row.credit[c]!;
        const whole = saturatingAdd(saturatingAdd(row.own[c]!, row.reaped[c]!), credit);
        heir.credit[c] = saturatingAdd(heir.credit[c]!, whole);
        heir.inherited[c] = saturatingAdd(heir.inherited[c]!, credit);
      }
    }
    for (const { row } of ended) {
      if (row.leaving) this.#left.set(row.pid, row);
      this.#remove(row);
    }
    this.#ended = [];
  }

  /** Returns the row of the process that has reaped or will reap this one. */
  #heirOf(row: LedgerRow): LedgerRow | null {
    if (!row.leaving) return row.parent;
    return this.reaper === null ? null : (row.parent ?? this.reaper);
  }

  /** Takes back the credit for a row that had left and is now added again; its end will credit it anew. */
  #takeBack(row: LedgerRow): void {
    row.leaving = false;
    if (this.reaper === null) return;
    const heir = this.#rows.get(row.ppid) ?? this.reaper;
    for (let c = 0; c < this.totals.length; c++) {
      const whole = saturatingAdd(saturatingAdd(row.own[c]!, row.reaped[c]!), row.credit[c]!);
      heir.credit[c] = saturatingSub(heir.credit[c]!, whole);
      if (heir.inherited[c]! > heir.credit[c]!) heir.inherited[c] = heir.credit[c]!;
    }
  }

  // A process whose parent exited first is reaped by the reaper, not by the grandparent that was credited. The growth
  // of the reaper beyond its own credit is therefore taken from the inherited credit of other rows.
  #moveInherited(reaper: LedgerRow): void {
    let heirs: LedgerRow[] | undefined;
    for (let c = 0; c < this.totals.length; c++) {
      let lack = saturatingSub(reaper.reaped[c]! - reaper.countedReaped[c]!, reaper.credit[c]!);
      if (lack === 0n) continue;
      heirs ??= this.#heirs(reaper);
      for (const row of heirs) {
        const moved = row.inherited[c]! < lack ? row.inherited[c]! : lack;
        row.inherited[c]! -= moved;
        row.credit[c]! -= moved;
        reaper.credit[c] = saturatingAdd(reaper.credit[c]!, moved);
        lack -= moved;
      }
    }
  }

  /** Rows with inherited credit. Credit is taken from them in this order, which must equal that of the native twin. */
  #heirs(reaper: LedgerRow): LedgerRow[] {
    return [...this.#rows.values()]
      .filter((row) => row !== reaper && row.inherited.some((amount) => amount > 0n))
      .sort((a, b) => a.pid - b.pid);
  }

  // Hot path: most channels of most rows are unchanged.
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
        if (row.inherited[c]! > row.credit[c]!) row.inherited[c] = row.credit[c]!;
        row.countedReaped[c] = reaped;
      }
    }
  }

  #grow(channel: number, by: bigint): void {
    this.totals[channel] = saturatingAdd(this.totals[channel]!, by);
  }

  // Counts the ancestors that end too, because no credit passes through a row that stays. Bounded, because the links
  // come from text that may be wrong.
  #depth(row: LedgerRow): number {
    let depth = 0;
    for (let at = row.parent; at?.ends === true && depth < this.#ended.length; at = at.parent) {
      depth++;
    }
    return depth;
  }

  #remove(row: LedgerRow): void {
    row.parent = null;
    if (this.#rows.get(row.pid) === row) this.#rows.delete(row.pid);
  }
}
