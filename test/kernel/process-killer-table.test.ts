import { describe, expect, it } from 'vitest';
import {
  type HeldProcess,
  type KillKernel,
  type KillSignal,
  Rest,
  type RestValue,
  type Sight,
} from '../../src/kernel/kill-kernel.js';
import { type KillPlan, killEverythingBy } from '../../src/kernel/process-killer.js';
import { readTable } from '../support/table.js';

const OUR_PID = 100;

const ascending = (a: number, b: number): number => a - b;

class Process {
  ppid: number;
  starttime: bigint;
  state = 'S';
  threads = 1n;
  thread: string | null = null;
  /** What is left of each trait. */
  readonly traits = new Map<string, number>();
  stopPending = false;
  killPending = false;

  constructor(pid: number, ppid: number) {
    this.ppid = ppid;
    this.starttime = BigInt(pid);
  }

  has(trait: string): boolean {
    return (this.traits.get(trait) ?? 0) > 0;
  }

  /** Uses up one. */
  take(trait: string): boolean {
    if (!this.has(trait)) return false;
    this.traits.set(trait, this.traits.get(trait)! - 1);
    return true;
  }

  get runs(): boolean {
    return this.state === 'R' || this.state === 'S';
  }
}

function restOf(state: string): RestValue {
  if (state === 'D') return Rest.BLOCKED;
  return state === 'R' || state === 'S' ? Rest.RUNNING : Rest.STOPPED;
}

class World implements KillKernel {
  readonly ownPid = OUR_PID;
  readonly processes = new Map<number, Process>();
  reapers: number[] = [];
  listed: number[] = [];
  listedOnce: number[] = [];
  /** tid → pid */
  readonly threads = new Map<number, number>();
  listIsCut = false;
  procIsCut = false;
  cgroupKill = 'ENOENT';
  procErrno: string | null = null;
  signals: string[] = [];
  #nowMs = 0;
  #nextPid = 1001;

  nowMs(): number {
    return this.#nowMs;
  }

  get pids(): number[] {
    return [...this.processes.keys()].sort(ascending);
  }

  async pause(ms: number): Promise<void> {
    this.#nowMs += ms;
    for (const pid of this.pids) {
      const one = this.processes.get(pid)!;
      if (one.take('hangs')) continue;
      if (one.killPending) {
        this.#end(pid);
        continue;
      }
      if (one.runs && one.take('forks')) {
        this.processes.set(this.#nextPid, new Process(this.#nextPid, pid));
        if (this.listed.includes(pid)) this.listed.push(this.#nextPid);
        this.#nextPid++;
      }
      if (one.state === 'T' && one.take('continues')) one.state = 'S';
      else if (one.stopPending && one.runs && !one.has('stubborn')) one.state = 'T';
      one.stopPending = false;
    }
  }

  #end(pid: number): void {
    const parent = this.#adopter(pid);
    this.processes.delete(pid);
    for (const one of this.processes.values()) if (one.ppid === pid) one.ppid = parent;
    this.listed = this.listed.filter((listed) => listed !== pid);
    for (const [tid, of] of this.threads) if (of === pid) this.threads.delete(tid);
  }

  /** Who gets the children of one that ends. */
  #adopter(pid: number): number {
    for (let at = this.processes.get(pid); at !== undefined; at = this.processes.get(at.ppid)) {
      if (this.reapers.includes(at.ppid)) return at.ppid;
    }
    return 1;
  }

  whyForeign(): string | null {
    return this.procErrno;
  }

  appendProcesses(pids: number[]): boolean {
    if (!this.procIsCut) pids.push(...this.pids);
    return !this.procIsCut;
  }

  hold(pid: number): HeldProcess {
    return {
      look: () => this.look(pid),
      signal: (signal) => this.#signal(pid, signal),
      rest: () => this.#rest(pid),
      appendChildren: (pids) => this.#appendChildren(pid, pids),
      close() {},
    };
  }

  look(pid: number): Sight {
    const one = this.processes.get(pid);
    if (one === undefined) return 'gone';
    if (one.has('hidden')) return 'unreadable';
    const { ppid, threads, starttime } = one;
    const state = one.has('hangs') && one.state !== 'Z' ? 'D' : one.state;
    return { state, ppid, threads, starttime };
  }

  #signal(pid: number, signal: KillSignal): string | null {
    const one = this.processes.get(pid)!;
    if (one.has('refuses')) return 'EPERM';
    if (one.has('vanishes')) {
      this.#end(pid);
      return 'ESRCH';
    }
    const sent = `${pid}:${signal.slice(3)}`;
    if (!this.signals.includes(sent)) this.signals.push(sent);
    if (signal === 'SIGKILL') one.killPending = true;
    else one.stopPending = true;
    return null;
  }

  #rest(pid: number): RestValue {
    const one = this.processes.get(pid)!;
    if (one.has('hangs')) return Rest.BLOCKED;
    const [rest, thread] = [restOf(one.state), restOf(one.thread ?? one.state)];
    return thread > rest ? thread : rest;
  }

  #appendChildren(pid: number, pids: number[]): boolean {
    for (const child of this.pids) {
      const one = this.processes.get(child)!;
      if (one.ppid === pid && !one.has('unlisted')) pids.push(child);
    }
    const { traits } = this.processes.get(pid)!;
    const once = traits.get('lists_once');
    if (once !== undefined) pids.push(once);
    traits.delete('lists_once');
    return !traits.has('cut');
  }

  processOfThread(tid: number): number | null {
    return this.threads.get(tid) ?? null;
  }

  async killCgroup(): Promise<string | null> {
    if (this.cgroupKill !== 'works') return this.cgroupKill;
    for (const pid of this.listed) if (this.processes.get(pid)?.state !== 'Z') this.#end(pid);
    return null;
  }

  isPopulated(): boolean {
    return this.listed.length > 0 || this.threads.size > 0;
  }

  appendListed(file: string, ids: number[]): boolean {
    if (file === 'cgroup.threads') {
      ids.push(...this.threads.keys());
    } else {
      ids.push(...this.listed, ...this.listedOnce);
      this.listedOnce = [];
    }
    return !this.listIsCut;
  }
}

class Replay {
  readonly #world = new World();
  readonly #plan = {
    cgroup: null as string | null,
    processes: [] as KillPlan['processes'],
    reapers: [] as number[],
    maySignal: true,
  };
  #tookMs = 0;

  async play(line: string): Promise<void> {
    const [verb, ...args] = line.split(' ');
    switch (verb) {
      case 'kill': {
        this.#world.signals = [];
        const startMs = this.#world.nowMs();
        const errno = await killEverythingBy(this.#world, this.#plan);
        expect(`kill ${errno ?? 0}`).toBe(line);
        this.#tookMs = this.#world.nowMs() - startMs;
        break;
      }
      case 'within':
        expect(this.#tookMs).toBeLessThanOrEqual(Number(args[0]));
        break;
      case 'signals':
        expect([verb, ...this.#world.signals].join(' ')).toBe(line);
        break;
      case 'lives':
        expect([verb, ...this.#living()].join(' ')).toBe(line);
        break;
      case 'remembers':
        expect([verb, ...this.#plan.processes.map(({ pid }) => pid)].join(' ')).toBe(line);
        break;
      default:
        this.#set(verb!, args);
    }
  }

  #living(): number[] {
    const isZombie = ({ state, threads }: Process): boolean => state === 'Z' && threads <= 1n;
    return this.#world.pids.filter(
      (pid) => pid !== OUR_PID && !isZombie(this.#world.processes.get(pid)!),
    );
  }

  #set(verb: string, args: string[]): void {
    const [world, plan] = [this.#world, this.#plan];
    const numbers = args.map(Number);
    switch (verb) {
      case 'proc':
        this.#addProcess(numbers[0]!, numbers[1]!, args.slice(2));
        break;
      case 'cgroup':
        plan.cgroup = 'the cgroup';
        world.listed = numbers;
        break;
      case 'cgroup_once':
        world.listedOnce = numbers;
        break;
      case 'cgroup_threads':
        for (const pair of args) {
          const [tid, pid] = pair.split(':').map(Number);
          world.threads.set(tid!, pid!);
        }
        break;
      case 'cgroup_cut':
        world.listIsCut = true;
        break;
      case 'cgroup_kill':
        world.cgroupKill = args[0]!;
        break;
      case 'proc_is':
        world.procErrno = args[0]!;
        break;
      case 'proc_cut':
        world.procIsCut = true;
        break;
      case 'member':
        plan.processes = [...plan.processes, { pid: numbers[0]!, starttime: BigInt(args[1]!) }];
        break;
      case 'reaper':
        world.reapers = numbers;
        plan.reapers = numbers;
        break;
      case 'foreign':
        plan.maySignal = false;
        break;
      case 'release':
        world.processes.get(numbers[0]!)!.traits.delete('hangs');
        break;
      default:
        throw new Error(`unknown line: ${verb}`);
    }
  }

  #addProcess(pid: number, ppid: number, traits: string[]): void {
    const one = new Process(pid, ppid);
    for (const trait of traits) {
      const [name = '', value = '1'] = trait.split('=');
      if (name === 'start') one.starttime = BigInt(value);
      else if (name === 'state') one.state = value;
      else if (name === 'threads') one.threads = BigInt(value);
      else if (name === 'thread') one.thread = value;
      else one.traits.set(name, Number(value));
    }
    this.#world.processes.set(pid, one);
  }
}

describe('the killer in a scripted world', () => {
  it.each(readTable('process-killer.txt'))('%s', async (_, lines) => {
    const replay = new Replay();
    expect.hasAssertions();
    for (const line of lines) await replay.play(line);
  });
});
