/** A small world of processes behind a `FixtureProc`, to be changed at random between two samples. */
import fc from 'fast-check';
import type { FixtureProc, FixtureProcess } from './fixture-proc.js';

/** What happens to a process; `who` picks among those there are, `amount` says how much. */
export interface Mutation {
  readonly kind:
    | 'run'
    | 'io'
    | 'grow'
    | 'fork'
    | 'exit'
    | 'leaderExit'
    | 'wait'
    | 'dying'
    | 'vanish'
    | 'orphan'
    | 'reuse'
    | 'stepBack'
    | 'damageStat'
    | 'damageStatm'
    | 'damageIo'
    | 'damageChildren'
    | 'repair';
  readonly who: number;
  readonly amount: number;
}

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Mutation['kind']>('run', 'fork') },
    {
      weight: 3,
      arbitrary: fc.constantFrom<Mutation['kind']>(
        'io',
        'grow',
        'exit',
        'leaderExit',
        'wait',
        'dying',
        'vanish',
        'orphan',
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Mutation['kind']>(
        'reuse',
        'stepBack',
        'damageStat',
        'damageStatm',
        'damageIo',
        'damageChildren',
        'repair',
      ),
    },
  ),
  who: fc.nat(1000),
  amount: fc.nat(500),
});

export class ProcWorld {
  readonly rootPid = 10;
  readonly #proc: FixtureProc;
  readonly #processes: FixtureProcess[] = [];
  #nextPid = 11;
  #clock = 1000;

  constructor(proc: FixtureProc) {
    this.#proc = proc;
    this.#add(this.rootPid, 1);
  }

  apply({ kind, who, amount }: Mutation): void {
    const p = this.#processes[who % this.#processes.length];
    if (p === undefined) return;
    switch (kind) {
      case 'run':
        p.utime += amount;
        p.stime += amount % 7;
        p.minflt += amount;
        p.majflt += amount % 3;
        break;
      case 'io':
        p.readBytes += amount * 512;
        p.writeBytes += amount;
        break;
      case 'grow':
        p.resident = amount;
        p.shared = amount % 90;
        p.threads = 1 + (amount % 5);
        break;
      case 'fork':
        if (p.state === 'Z') return;
        p.children.push(this.#nextPid);
        this.#add(this.#nextPid++, p.pid, amount);
        break;
      case 'exit':
        p.state = 'Z';
        p.threads = 1;
        p.resident = 0;
        break;
      case 'leaderExit':
        p.state = 'Z';
        p.threads = 2 + (amount % 3);
        p.resident = 0;
        p.shared = 0;
        break;
      case 'wait':
        this.#reap(p, true);
        return;
      case 'dying':
        this.#reap(p, false);
        return;
      case 'vanish':
        this.#reap(p, true);
        this.#proc.delete(p.pid);
        return;
      case 'orphan':
        this.#orphan(p);
        break;
      case 'reuse':
        // Its number is another process's: nothing of it is left.
        if (p.pid !== this.rootPid) Object.assign(p, this.#fresh(p.pid, p.ppid, amount));
        break;
      case 'stepBack':
        p.utime = Math.max(0, p.utime - 1);
        p.readBytes = Math.max(0, p.readBytes - 1);
        break;
      case 'damageStat':
        this.#proc.write(p.pid, 'stat', amount % 2 === 0 ? '' : `${p.pid} (x) S 1 2 y`);
        return;
      case 'damageStatm':
        this.#proc.write(p.pid, 'statm', amount % 2 === 0 ? '' : '5 x');
        return;
      case 'damageIo':
        this.#proc.write(p.pid, 'io', amount % 2 === 0 ? 'read_bytes: 1\n' : 'read_bytes: -\n');
        return;
      case 'damageChildren':
        this.#proc.write(p.pid, `task/${p.pid}/children`, `${p.children.join(' ')} x`);
        return;
      case 'repair':
        break;
    }
    this.#proc.put(p);
  }

  /** The parent takes the process's counters, and its row ends in state X, the last that is ever read of it. */
  #reap(p: FixtureProcess, unlist: boolean): void {
    this.#orphan(p);
    const parent = this.#processes.find((one) => one.pid === p.ppid);
    if (parent !== undefined) {
      parent.cutime += p.utime + p.cutime;
      parent.cstime += p.stime + p.cstime;
      parent.cminflt += p.minflt + p.cminflt;
      parent.cmajflt += p.majflt + p.cmajflt;
      parent.readBytes += p.readBytes;
      parent.writeBytes += p.writeBytes;
      if (unlist) parent.children = parent.children.filter((pid) => pid !== p.pid);
      this.#proc.put(parent);
    }
    this.#proc.put({ ...p, state: 'X' });
    this.#processes.splice(this.#processes.indexOf(p), 1);
  }

  #orphan(p: FixtureProcess): void {
    for (const child of this.#processes.filter((one) => one.ppid === p.pid)) {
      child.ppid = 1;
      this.#proc.put(child);
    }
    p.children = [];
  }

  #add(pid: number, ppid: number, utime = 0): void {
    const added = this.#fresh(pid, ppid, utime);
    this.#processes.push(added);
    this.#proc.put(added);
  }

  #fresh(pid: number, ppid: number, utime: number): FixtureProcess {
    return { ...this.#proc.process(pid, ppid, this.#clock++), utime, resident: 3, shared: 1 };
  }
}
