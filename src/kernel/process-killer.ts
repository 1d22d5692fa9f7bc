/**
 * Kills everything of an episode: by its cgroup where the kernel does that at once, else process by process, stopped
 * first so that nobody forks behind the killer's back. The twin of `native/core/process_killer.cc`; without pidfds,
 * so that a number is checked right before each signal.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../realm/index.js';
import { listCgroupMembers } from './cgroup-members.js';
import { writeControlFile } from './control-file.js';
import { KeptFile, ReadStatus, readBuffer, readOnce } from './kept-file.js';
import { ProcessDirectory, procRootAt, whyForeign } from './process-directory.js';
import {
  beneath,
  close,
  Errno,
  errnoName,
  listDirectory,
  mayExist,
  openDirectory,
} from './syscall.js';
import { ProcStat, parseProcStat } from './text/proc-stat.js';

/** Everything of an episode. */
export interface EpisodeMembers {
  /** The directory of the episode's cgroup, also as `/proc/self/fd/N`; null: none. It is opened before this returns. */
  readonly cgroup: string | null;
  /** Members of the episode, by pid and starttime (ticks). Their descendants are its too. */
  readonly processes: readonly { readonly pid: number; readonly starttime: bigint }[];
  /** Whose descendants are the episode's too, and who are not killed themselves. */
  readonly reapers: readonly number[];
}

export interface KillPlan extends EpisodeMembers {
  /** False: the pids are those of a fixture or of a foreign procfs, and nothing is signalled. */
  readonly maySignal: boolean;
}

/** How long what hangs in the kernel, or gets no cpu to die, is waited for. */
export const KILL_LIMIT_MS = 5_000;

export interface KillResult {
  /** How many got their SIGKILL. */
  readonly killed: number;
  /** null when all have ended, or why somebody may live on. */
  readonly errno: string | null;
}

/**
 * Kills everything of the plan, but never this process nor pid 1.
 *
 * `cgroup.kill` (Linux 5.14) is the whole answer where it can be written and this process is not in that cgroup: the
 * kernel has been told then, and `populated 0` tells that it is done. Else it is `killMembers`.
 *
 * null when all that was found has ended. The errnos of `killMembers`; without `maySignal` what `cgroup.kill` said, null
 * without a cgroup.
 */
export async function killEverything(plan: KillPlan): Promise<string | null> {
  const killer = new MemberKiller(plan);
  try {
    if (plan.cgroup !== null) {
      const errno = await killer.killCgroup();
      if (!plan.maySignal) return errno;
      if (errno === null) {
        if (!(await killer.outlivesCgroupKill())) return null;
        // The kernel has been told: that we cannot help by numbers is no failure of the kill.
        const { errno: unfinished } = await killer.killMembers();
        return unfinished === 'EAGAIN' || unfinished === 'ETIMEDOUT' ? unfinished : null;
      }
    }
    return plan.maySignal ? (await killer.killMembers()).errno : null;
  } finally {
    killer.close();
  }
}

/**
 * Stops those that the cgroup lists, the processes of the plan and all that descends from those or from the reapers
 * until nobody new appears, then kills them, and waits until they have ended: they are gone, or zombies without threads.
 * A process that only parentage links to the episode is out of reach once its parent ended, unless a reaper of the plan
 * got it.
 *
 * `EPERM`: some may not be signalled by us, and live on; the others were killed all the same. `EAGAIN`: a list could not
 * be read whole, or others kept appearing; asked again it may find them. `ETIMEDOUT`: some got their SIGKILL and still
 * hang in the kernel after `limitMs`. Where `/proc` is not the procfs of our own pid namespace nobody is signalled:
 * `ENXIO`, or `ENOENT`.
 */
export async function killMembers(
  plan: EpisodeMembers,
  limitMs: number = KILL_LIMIT_MS,
): Promise<KillResult> {
  const killer = new MemberKiller(plan, limitMs);
  try {
    return await killer.killMembers();
  } finally {
    killer.close();
  }
}

const PAUSE_MS = 1;

/** Whoever `cgroup.kill` reached is dead within some ms: p99 1.8. */
const OUTLIVE_MS = 20;
const MAX_PAUSE_MS = 10;

/**
 * Rounds without anybody new after which those that hang in the kernel (state D) are not waited for: a fork that is
 * under way there fails once SIGKILL is pending.
 */
const PATIENCE = 20;

/** Who is beyond that is found when others are gone. */
const MAX_MEMBERS = 65_536;

type Signal = 'SIGSTOP' | 'SIGKILL';

/** How far a process is from standing still. */
const Rest = { STOPPED: 0, BLOCKED: 1, RUNNING: 2 } as const;

interface Member {
  readonly pid: number;
  /** null: only a number, not looked at yet. */
  starttime: bigint | null;
  /** Its children are the episode's too. */
  descends: boolean;
  /** Never signalled. */
  readonly spared: boolean;
  /** May not be signalled by us. */
  refused: boolean;
  /** The last signal. */
  sent: Signal | null;
}

function member(of: Pick<Member, 'pid'> & Partial<Member>): Member {
  return { starttime: null, descends: false, spared: false, refused: false, sent: null, ...of };
}

// Filled and used up between two awaits, so that all killers share it.
const stat: (bigint | null)[] = Array.from({ length: 12 }, () => null);

const ZOMBIE = 'Z';

class MemberKiller {
  readonly #plan: EpisodeMembers;
  readonly #procRoot = procRootAt('/proc');
  /** The cgroup's directory, or a negative errno. */
  readonly #cgroup: number;
  /** In the order they were found: of those linked by parentage, parents first. */
  #members = new Map<number, Member>();
  #killed = 0;
  readonly #limitMs: number;

  // Of the last look round.
  /** Somebody got the signal for the first time. */
  #changed = false;
  /** Every list and process could be read. */
  #whole = true;
  #running = 0;
  #blocked = 0;
  #living = 0;
  /** Since the last round of stops began: a list of children. */
  #childrenCut = false;
  /** The cgroup lists somebody whom we cannot name. */
  #foreign = false;
  /** All at once, before they were killed. */
  #stoodStill = false;

  constructor(plan: EpisodeMembers, limitMs: number = KILL_LIMIT_MS) {
    this.#plan = plan;
    this.#limitMs = limitMs;
    this.#cgroup = plan.cgroup === null ? Errno.ENOENT : openDirectory(`${plan.cgroup}/.`);
  }

  close(): void {
    if (this.#cgroup >= 0) close(this.#cgroup);
  }

  /** null, or the errno of `cgroup.kill`. */
  async killCgroup(): Promise<string | null> {
    if (this.#cgroup < 0) return errnoName(this.#cgroup);
    return await writeControlFile(beneath(this.#cgroup, 'cgroup.kill'), '1');
  }

  async killMembers(): Promise<KillResult> {
    const errno = this.#procfsErrno();
    if (errno !== null) return { killed: 0, errno };
    this.#adoptPlan();
    await this.#stopAll();
    this.#killAll();
    await this.#awaitEnds();
    return { killed: this.#killed, errno: this.#errno() };
  }

  /**
   * Why nobody can be found. This is the one gate to every signal: in another directory of that name everybody would be
   * gone, and by the numbers of another pid namespace's procfs strangers would be killed.
   */
  #procfsErrno(): string | null {
    const errno = whyForeign(this.#procRoot);
    return errno === 0 ? null : errnoName(errno);
  }

  // ---- who belongs to it

  #adoptPlan(): void {
    this.#adopt(member({ pid: process.pid, spared: true }));
    for (const pid of this.#plan.reapers) {
      this.#adopt(member({ pid, spared: true, descends: true }));
    }
    for (const { pid, starttime } of this.#plan.processes) {
      this.#adopt(member({ pid, starttime, descends: true }));
    }
  }

  #adopt(found: Member): void {
    const known = this.#members.get(found.pid);
    if (known !== undefined) {
      // A listed process is found to descend as well: its children are not looked for yet.
      if (found.descends && !known.descends) {
        known.descends = true;
        this.#changed = true;
      }
      return;
    }
    if (found.pid <= 1 && !found.spared) return;
    if (this.#members.size === MAX_MEMBERS) this.#whole = false;
    else this.#members.set(found.pid, found);
  }

  /** Those that the cgroup lists and that are not known yet. */
  #adoptListed(): void {
    const listed: number[] = [];
    if (!this.#listCgroup(listed)) this.#whole = false;
    // One of a pid namespace that is not below ours has no number that a signal could name.
    this.#foreign = listed.includes(0);
    if (listed.length === 0) this.#adoptByThreads();
    const found: Member[] = [];
    for (const pid of listed) {
      if (this.#members.has(pid)) continue;
      const directory = new ProcessDirectory(this.#procRoot, pid);
      if (this.#read(directory)) found.push(member({ pid, starttime: stat[ProcStat.STARTTIME]! }));
      directory.close();
    }
    if (found.length === 0) return;
    // Listed once more: whoever has the number and that starttime then was the one that is listed here.
    const again: number[] = [];
    if (!this.#listCgroup(again)) this.#whole = false;
    const there = new Set(again);
    for (const one of found) if (there.has(one.pid)) this.#adopt(one);
  }

  /** A process that was moved in after its first thread had ended is listed by its other threads alone. */
  #adoptByThreads(): void {
    const tids: number[] = [];
    if (!this.#listCgroup(tids, 'cgroup.threads')) this.#whole = false;
    const found: [tid: number, one: Member][] = [];
    for (const tid of tids) {
      const pid = this.#processOf(tid);
      if (pid === null || this.#members.has(pid)) continue;
      const directory = new ProcessDirectory(this.#procRoot, pid);
      if (this.#read(directory)) {
        found.push([tid, member({ pid, starttime: stat[ProcStat.STARTTIME]! })]);
      }
      directory.close();
    }
    if (found.length === 0) return;
    const again: number[] = [];
    if (!this.#listCgroup(again, 'cgroup.threads')) this.#whole = false;
    const there = new Set(again);
    for (const [tid, one] of found) if (there.has(tid)) this.#adopt(one);
  }

  #processOf(tid: number): number | null {
    const directory = new ProcessDirectory(this.#procRoot, tid);
    const pid = directory.enter() < 0 ? null : directory.threadGroup();
    directory.close();
    return pid;
  }

  /**
   * Whether somebody lives on, some ms after `cgroup.kill`: the kernel passes over a process whose first thread has
   * ended.
   */
  async outlivesCgroupKill(): Promise<boolean> {
    const end = performance.now() + OUTLIVE_MS;
    while (this.#isPopulated()) {
      if (performance.now() >= end) return true;
      await sleep(PAUSE_MS);
    }
    return false;
  }

  #isPopulated(): boolean {
    if (readOnce(beneath(this.#cgroup, 'cgroup.events')) !== ReadStatus.OK) return false;
    const text = Buffer.from(readBuffer.bytes.buffer, 0, readBuffer.size).toString('latin1');
    return /^populated 1$/m.test(text);
  }

  /** False when the list is not whole. */
  #listCgroup(pids: number[], file = 'cgroup.procs'): boolean {
    if (this.#cgroup < 0) return isGone(this.#cgroup);
    const procs = new KeptFile(file, false);
    if (listCgroupMembers(this.#cgroup, procs, pids)) return true;
    // Of a cgroup that was removed meanwhile nobody is left.
    return !mayExist(beneath(this.#cgroup, 'cgroup.procs'));
  }

  // ---- stop, then kill

  async #stopAll(): Promise<void> {
    const end = performance.now() + this.#limitMs;
    for (let quiet = 0; ; await sleep(PAUSE_MS)) {
      this.#lookRound('SIGSTOP');
      quiet = this.#changed ? 0 : quiet + 1;
      const isLast = performance.now() >= end;
      // A stop takes effect when the target next returns from the kernel: until then it may still fork.
      const isPatient = this.#blocked === 0 || quiet >= PATIENCE || isLast;
      const atRest = quiet > 0 && this.#running === 0 && isPatient;
      this.#stoodStill = atRest && !this.#findUnlistedChildren();
      if (this.#stoodStill || isLast) return;
    }
  }

  /**
   * Whether there are any. The kernel may pass over a living child in its list while others on that list end, and a
   * kernel without CONFIG_PROC_CHILDREN has no list: what every process says of its parent proves the lists whole.
   * Whoever is stopped by now forks no more.
   */
  #findUnlistedChildren(): boolean {
    if (![...this.#members.values()].some(({ descends }) => descends)) return false;
    const known = this.#members.size;
    const listed = listDirectory(this.#procRoot.path);
    if (typeof listed === 'number') {
      this.#whole = false;
      return false;
    }
    for (const { name } of listed) {
      const pid = Number(name);
      if (Number.isInteger(pid) && !this.#members.has(pid)) this.#adoptChild(pid);
    }
    return this.#members.size > known;
  }

  /** If it is a child of a member. */
  #adoptChild(pid: number): void {
    // One that cannot be read has just ended, or is hidden from us.
    if (readOnce(`${this.#procRoot.path}/${pid}/stat`) !== ReadStatus.OK || !parseStat()) return;
    const parent = this.#members.get(Number(stat[ProcStat.PPID]));
    if (parent?.descends === true && !hasEnded()) this.#adopt(member({ pid, descends: true }));
  }

  /**
   * The youngest first. The end of a parent can orphan a process group, and the kernel then lets those of it that
   * were stopped go on.
   */
  #killAll(): void {
    const oldestFirst = [...this.#members.values()].sort((a, b) =>
      Number((a.starttime ?? 0n) - (b.starttime ?? 0n)),
    );
    for (const one of oldestFirst.reverse()) {
      const directory = new ProcessDirectory(this.#procRoot, one.pid);
      this.#strike(one, 'SIGKILL', directory);
      directory.close();
    }
  }

  /**
   * Until nobody new appears and all have ended: a SIGKILL is no end yet, a process needs a cpu to die, and what hangs in
   * the kernel dies when that lets it.
   */
  async #awaitEnds(): Promise<void> {
    const end = performance.now() + this.#limitMs;
    for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(pauseMs + 1, MAX_PAUSE_MS)) {
      this.#lookRound('SIGKILL');
      // A list that was cut goes on when the killed are no more on it.
      if (!this.#changed && this.#living === 0) return;
      if (performance.now() >= end) return;
      await sleep(pauseMs);
    }
  }

  /** Finds everybody, and sends it to whoever has not got it. */
  #lookRound(signal: Signal): void {
    this.#changed = false;
    this.#whole = true;
    this.#running = 0;
    this.#blocked = 0;
    this.#living = 0;
    if (signal === 'SIGSTOP') this.#childrenCut = false;
    if (this.#plan.cgroup !== null) this.#adoptListed();
    // Grows while it is walked.
    for (const one of this.#members.values()) this.#visit(one, signal);
  }

  #visit(one: Member, signal: Signal): void {
    const directory = new ProcessDirectory(this.#procRoot, one.pid);
    // The children after the signal: of one that runs on they may be more by then.
    if (this.#strike(one, signal, directory) && one.descends) {
      const children: number[] = [];
      if (!directory.children(children)) {
        this.#whole = false;
        this.#childrenCut = true;
      }
      for (const pid of children) this.#adopt(member({ pid, descends: true }));
    }
    directory.close();
  }

  /** False when the member is gone, or cannot be looked at. Leaves its directory entered. */
  #strike(one: Member, signal: Signal, directory: ProcessDirectory): boolean {
    if (!this.#read(directory)) {
      if (isGone(readBuffer.errno)) this.#members.delete(one.pid);
      else this.#whole = false;
      return false;
    }
    if (!this.#isSame(one)) {
      this.#members.delete(one.pid);
      // The other one may be a member too, and was passed over.
      this.#changed = true;
      return false;
    }
    if (hasEnded()) {
      one.refused = false;
      return false;
    }
    return one.spared || this.#signal(one, signal);
  }

  #isSame(one: Member): boolean {
    if (one.starttime !== null) return one.starttime === stat[ProcStat.STARTTIME];
    // A number from a list of children may be another's since.
    if (!one.spared && this.#members.get(Number(stat[ProcStat.PPID]))?.descends !== true) {
      return false;
    }
    one.starttime = stat[ProcStat.STARTTIME]!;
    return true;
  }

  /** False when it is gone. */
  #signal(one: Member, signal: Signal): boolean {
    const { pid } = one;
    const first = one.sent !== signal;
    // Whoever was stopped may have been let go on by others. Nothing is read between the check and this.
    if (first || (signal === 'SIGSTOP' && !'Tt'.includes(stateNow()))) {
      const errno = send(pid, signal);
      if (errno === 'ESRCH') {
        this.#members.delete(pid);
        return false;
      }
      one.refused = errno !== null;
      one.sent = signal;
      if (signal === 'SIGKILL' && !one.refused) this.#killed++;
    }
    if (first) this.#changed = true;
    // One that we may not stop is not waited for.
    if (one.refused) return true;
    const rest = restOfProcess(pid);
    this.#living++;
    if (rest === Rest.RUNNING) this.#running++;
    if (rest === Rest.BLOCKED) this.#blocked++;
    return true;
  }

  /** Its `stat`. False: why is in `readBuffer.errno`, 0 for text that is none. */
  #read(directory: ProcessDirectory): boolean {
    const errno = directory.enter();
    if (errno < 0) {
      readBuffer.errno = errno;
      return false;
    }
    return directory.stat.read(directory.fd) === ReadStatus.OK && parseStat();
  }

  #errno(): string | null {
    if (this.#foreign) return 'EPERM';
    for (const { refused } of this.#members.values()) if (refused) return 'EPERM';
    // Whoever stood behind the end of a cut list of children, or was forked by somebody who had not stopped, has
    // another parent now.
    const lost = (this.#childrenCut || !this.#stoodStill) && this.#plan.reapers.length === 0;
    if (this.#changed || !this.#whole || lost) return 'EAGAIN';
    return this.#living > 0 ? 'ETIMEDOUT' : null;
  }
}

/** What `readBuffer` holds. */
function parseStat(): boolean {
  return parseProcStat(readBuffer.bytes, readBuffer.size, stat) === null;
}

function stateNow(): string {
  return String.fromCharCode(Number(stat[ProcStat.STATE]));
}

/** Of a leader that ended before its threads the state is Z as well, and the process lives. */
function hasEnded(): boolean {
  const state = stateNow();
  return 'Xx'.includes(state) || (state === ZOMBIE && stat[ProcStat.NUM_THREADS]! <= 1n);
}

function isGone(errno: number): boolean {
  return errno === Errno.ENOENT || errno === Errno.ESRCH;
}

function restOfState(state: string): number {
  if ('TtZXx'.includes(state)) return Rest.STOPPED;
  return state === 'D' ? Rest.BLOCKED : Rest.RUNNING;
}

/** Of all its threads: the first may have stopped before the others, or ended before them. */
function restOfProcess(pid: number): number {
  let rest = restOfState(stateNow());
  if (stat[ProcStat.NUM_THREADS]! <= 1n) return rest;
  const tasks = listDirectory(`/proc/${pid}/task`);
  if (typeof tasks === 'number') return Rest.RUNNING;
  for (const { name } of tasks) {
    // A thread that cannot be read has just ended.
    if (readOnce(`/proc/${pid}/task/${name}/stat`) !== ReadStatus.OK || !parseStat()) continue;
    rest = Math.max(rest, restOfState(stateNow()));
  }
  return rest;
}

/** null, or the errno. */
function send(pid: number, signal: Signal): string | null {
  try {
    process.kill(pid, signal);
    return null;
  } catch (error) {
    const code = codeOf(error);
    if (code !== null) return code;
    throw error;
  }
}
