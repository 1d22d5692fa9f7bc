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
 *      much of the parent's next growth of reaped time is known already. Where a whole branch ended between two
 *      samples, the part of it that passed through a vanished row may be the reaper's instead: an orphan is
 *      reaped by it.
 * - C. The total grows by what each row's own counters grew, and its reaped counters beyond the credit.
 */
import { saturatingAdd, saturatingSub } from '../../frame/saturate.js';

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
  /** What of the credit passed through a row that vanished. */
  readonly inherited: bigint[];
  vanished = false;
  /** It leaves the episode alive, at the next settle. */
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

  /** It is no row any more after the next settle. */
  get ends(): boolean {
    return this.vanished || this.leaving;
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
  /** The row that reaps the orphans of the tree, whose own time does not count. */
  reaper: LedgerRow | null = null;
  readonly #rows = new Map<number, LedgerRow>();
  #ended: LedgerRow[] = [];
  /** By pid, as they left. */
  readonly #left = new Map<number, LedgerRow>();
  #anyVanished = false;

  constructor(channels: number) {
    this.totals = Array.from({ length: channels }, () => 0n);
  }

  /** A row has vanished at some sample: what it used after it was last seen may be missing. */
  get anyVanished(): boolean {
    return this.#anyVanished;
  }

  /** A new row. It counts from 0: its whole life belongs to the tree. One that left before goes on. */
  add(pid: number, starttime: bigint): LedgerRow {
    const left = this.#left.get(pid);
    this.#left.delete(pid);
    const goesOn = left?.starttime === starttime;
    const row = goesOn ? left : new LedgerRow(pid, starttime, this.totals.length);
    if (goesOn) this.#takeBack(left);
    this.#rows.set(pid, row);
    return row;
  }

  /** The process is gone, or is in its last moment (state `X`). Its row leaves at the next `settle`. */
  vanish(row: LedgerRow): void {
    if (row.ends) return;
    row.vanished = true;
    this.#ended.push(row);
    this.#anyVanished = true;
  }

  /**
   * The process left the episode alive: what it consumed stays in the total. With a reaper, whoever will reap it
   * is credited, its parent or else the reaper; without, nobody. Its row leaves at the next `settle`, and goes on
   * if it is added again.
   */
  leave(row: LedgerRow): void {
    if (row.ends) return;
    row.leaving = true;
    this.#ended.push(row);
  }

  /** Steps B and C: brings `totals` up to date with what was stored. */
  settle(): void {
    this.#creditEnded();
    // The reaper last: what it reaped of a branch that ended whole is known only by what the others did not reap.
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

  // Deepest first, so that what a grandchild left is in its parent's account before that is passed on.
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

  /** Whoever will reap the row, or has done so. */
  #heirOf(row: LedgerRow): LedgerRow | null {
    if (!row.leaving) return row.parent;
    return this.reaper === null ? null : (row.parent ?? this.reaper);
  }

  /** What was credited for a row that left: it is a row again, and leaves its credit when it ends. */
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

  // A process whose parent ended before it is reaped by the reaper and not by the grandparent that was credited:
  // what the reaper reaped beyond its own credit is that.
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

  /** Whose credit passed through a vanished row. Their order decides from whom it is taken: as in the native twin. */
  #heirs(reaper: LedgerRow): LedgerRow[] {
    return [...this.#rows.values()]
      .filter((row) => row !== reaper && row.inherited.some((amount) => amount > 0n))
      .sort((a, b) => a.pid - b.pid);
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
        if (row.inherited[c]! > row.credit[c]!) row.inherited[c] = row.credit[c]!;
        row.countedReaped[c] = reaped;
      }
    }
  }

  #grow(channel: number, by: bigint): void {
    this.totals[channel] = saturatingAdd(this.totals[channel]!, by);
  }

  // Ancestors that end too: no credit passes through a row that stays. Bounded, since the links come from text
  // that may lie.
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
