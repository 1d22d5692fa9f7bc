import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Ledger, type LedgerRow } from '../../src/engine/js/ledger.js';

interface TableRow {
  readonly pid: number;
  readonly starttime: bigint;
  readonly ppid: number;
  readonly own: bigint;
  readonly reaped: bigint;
  readonly state: string;
}

interface Sample {
  readonly rows: TableRow[];
  total: bigint;
}

interface Case {
  readonly name: string;
  reaper: number;
  readonly samples: Sample[];
}

/** The format is described at the head of the table. */
function readTable(text: string): Case[] {
  const cases: Case[] = [];
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    const current = cases.at(-1);
    const sample = current?.samples.at(-1);
    if (word === 'case') {
      cases.push({ name: rest.join(' '), reaper: 0, samples: [] });
    } else if (word === 'reaper') {
      current!.reaper = Number(rest[0]);
    } else if (word === 'sample') {
      current!.samples.push({ rows: [], total: -1n });
    } else if (word === 'row') {
      const [pid, starttime, ppid, own, reaped, state] = rest as [string, ...string[]];
      sample!.rows.push({
        pid: Number(pid),
        starttime: BigInt(starttime!),
        ppid: Number(ppid),
        own: BigInt(own!),
        reaped: BigInt(reaped!),
        state: state!,
      });
    } else if (word === 'total') {
      sample!.total = BigInt(rest[0]!);
    } else if (word !== '' && word !== 'root' && !word!.startsWith('#')) {
      throw new Error(`the table has a line that is none of its own: ${line}`);
    }
  }
  return cases;
}

/** What a reader does with the rows of a sample: it stores the living, and the others vanish. */
class Replay {
  readonly ledger = new Ledger(1);
  readonly #rows = new Map<string, LedgerRow>();
  readonly #reaper: number;

  constructor(reaper: number) {
    this.#reaper = reaper;
  }

  sample({ rows }: Sample): bigint {
    const seen = new Set<string>();
    for (const { pid, starttime, ppid, own, reaped, state } of rows) {
      if (state === 'X') continue;
      const key = `${pid}/${starttime}`;
      seen.add(key);
      const row = this.#rows.get(key) ?? this.ledger.add(pid, starttime);
      this.#rows.set(key, row);
      if (pid === this.#reaper) this.ledger.reaper = row;
      row.ppid = ppid;
      row.store(0, pid === this.#reaper ? 0n : own, reaped);
    }
    for (const [key, row] of this.#rows) {
      if (seen.has(key)) continue;
      this.ledger.vanish(row);
      this.#rows.delete(key);
    }
    this.ledger.settle();
    return this.ledger.totals[0]!;
  }
}

describe('the ledger', () => {
  const table = readFileSync(new URL('../tables/ledger.txt', import.meta.url), 'utf8');

  it.each(readTable(table).map((one) => [one.name, one] as const))(
    '%s',
    (_, { reaper, samples }) => {
      const replay = new Replay(reaper);
      expect(samples.map((sample) => replay.sample(sample))).toEqual(samples.map((s) => s.total));
    },
  );

  it('channels do not touch each other', () => {
    const ledger = new Ledger(2);
    const row = ledger.add(10, 1n);
    row.store(0, 5n, 0n);
    row.store(1, 0n, 7n);
    ledger.settle();
    expect(ledger.totals).toEqual([5n, 7n]);
  });

  it('a row that left the episode alive keeps what it had and credits nobody', () => {
    const ledger = new Ledger(1);
    const root = ledger.add(10, 1n);
    const moved = ledger.add(11, 2n);
    moved.ppid = 10;
    moved.store(0, 20n, 0n);
    ledger.settle();
    ledger.leave(moved);
    root.store(0, 0n, 4n);
    ledger.settle();
    expect(ledger.totals).toEqual([24n]);
    expect(ledger.anyVanished).toBe(false);
  });

  it.each([
    ['its parent', 10],
    ['else the reaper', 1],
  ])('with a reaper a row that left credits who will reap it: %s', (_, ppid) => {
    const ledger = new Ledger(1);
    const reaper = ledger.add(9, 0n);
    ledger.reaper = reaper;
    const [root, moved, child] = [10, 11, 12].map((pid) => ledger.add(pid, 1n));
    root!.ppid = 9;
    moved!.ppid = ppid;
    child!.ppid = 11;
    root!.store(0, 5n, 0n);
    moved!.store(0, 20n, 3n);
    child!.store(0, 6n, 0n);
    ledger.settle();
    expect(ledger.totals).toEqual([34n]);
    // The child ended, unseen yet in what its parent reaped.
    ledger.leave(moved!);
    ledger.vanish(child!);
    ledger.settle();
    (ppid === 10 ? root! : reaper).store(0, 0n, 29n);
    ledger.settle();
    expect(ledger.totals).toEqual([34n]);
    ledger.vanish(root!);
    reaper.store(0, 0n, 34n);
    ledger.settle();
    expect(ledger.totals).toEqual([34n]);
  });

  it.each([false, true])('a row that left and comes back goes on (reaper: %s)', (hasReaper) => {
    const ledger = new Ledger(1);
    const [reaper, root, moved] = [9, 10, 11].map((pid) => ledger.add(pid, 1n));
    if (hasReaper) ledger.reaper = reaper!;
    root!.ppid = 9;
    moved!.ppid = 10;
    root!.store(0, 5n, 0n);
    moved!.store(0, 20n, 3n);
    ledger.settle();
    ledger.leave(moved!);
    ledger.settle();
    const back = ledger.add(11, 1n);
    back.store(0, 24n, 3n);
    ledger.settle();
    expect(ledger.totals).toEqual([32n]);
    // It ends, and is credited once.
    ledger.vanish(back);
    root!.store(0, 5n, 30n);
    ledger.settle();
    expect(ledger.totals).toEqual([35n]);
  });

  it('parents that form a ring are settled all the same', () => {
    const ledger = new Ledger(1);
    const rows = [10, 11, 12].map((pid) => ledger.add(pid, 1n));
    rows.forEach((row, i) => {
      row.ppid = rows[(i + 1) % 3]!.pid;
      row.store(0, 5n, 0n);
    });
    ledger.settle();
    for (const row of rows) ledger.vanish(row);
    ledger.settle();
    expect(ledger.totals).toEqual([15n]);
  });
});
