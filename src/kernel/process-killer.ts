/**
 * Kills every process of an episode: through its cgroup if the kernel supports that, otherwise one by one, after all of
 * them have been stopped so that none can fork unseen. The twin of `native/core/process_killer.cc`;
 * `test/tables/process-killer.txt` holds the rules.
 */

import {
  KILL_LIMIT_MS,
  KILL_OUTLIVE_MS,
  KILL_PATIENCE_ROUNDS,
  KILL_PAUSE_MS,
} from '../schema/bounds.js';
import {
  type HeldProcess,
  hasEnded,
  type KillKernel,
  type KillSignal,
  type ProcessSight,
  Rest,
} from './kill-kernel.js';
import { type EpisodeMembers, type KillMember, KillMembers } from './kill-members.js';
import { LinuxKillKernel } from './linux-kill-kernel.js';

export interface KillPlan extends EpisodeMembers {
  /** False if the pids come from a fixture or a foreign procfs; nothing is signalled then. */
  readonly maySignal: boolean;
}

export interface KillResult {
  /** How many received SIGKILL. */
  readonly killed: number;
  /** null if all have ended, or why some may still be alive. */
  readonly errno: string | null;
}

/**
 * Kills every process of the plan, but never this process or pid 1.
 *
 * Writes `cgroup.kill` (Linux 5.14) if it can be written and this process is not in the cgroup; the kernel does the
 * rest, and `populated 0` shows when it is done. Otherwise as `killMembers`.
 *
 * Returns null once all that were found have ended, or the errno of `killMembers`. Without `maySignal`: the result of
 * `cgroup.kill`, or null without a cgroup.
 */
export async function killEverything(plan: KillPlan): Promise<string | null> {
  const kernel = new LinuxKillKernel(plan.cgroup);
  try {
    return await killEverythingBy(kernel, plan);
  } finally {
    kernel.close();
  }
}

/** As `killEverything`, with another kernel than the running one. */
export async function killEverythingBy(kernel: KillKernel, plan: KillPlan): Promise<string | null> {
  const killer = new ProcessKiller(kernel, plan, KILL_LIMIT_MS);
  if (plan.cgroup !== null) {
    const errno = await kernel.killCgroup();
    if (!plan.maySignal) return errno;
    if (errno === null) {
      if (!(await killer.outlivesCgroupKill())) return null;
      // The kernel did what was asked: processes that cannot be killed by pid do not make that a failure.
      const { errno: unfinished } = await killer.killMembers();
      return unfinished === 'EAGAIN' || unfinished === 'ETIMEDOUT' ? unfinished : null;
    }
  }
  return plan.maySignal ? (await killer.killMembers()).errno : null;
}

/**
 * Stops the processes that the cgroup lists, those of the plan, and all descendants of these and of the reapers until
 * no new ones appear, then kills them and waits until they have ended, that is, are gone or are zombies without
 * threads. A process that is linked to the episode by parentage alone is out of reach once its parent has ended,
 * unless a reaper of the plan adopted it.
 *
 * `EPERM`: we may not signal some of them, which stay alive; the others were killed. `EAGAIN`: a list could not be
 * read completely, or new processes kept appearing; a second call may find them. `ETIMEDOUT`: some received SIGKILL and
 * still hang in the kernel after `limitMs`. If `/proc` is not the procfs of our own pid namespace, nothing is
 * signalled: `ENXIO`, or `ENOENT`.
 */
export async function killMembers(
  plan: EpisodeMembers,
  limitMs: number = KILL_LIMIT_MS,
): Promise<KillResult> {
  const kernel = new LinuxKillKernel(plan.cgroup);
  try {
    return await new ProcessKiller(kernel, plan, limitMs).killMembers();
  } finally {
    kernel.close();
  }
}

const MAX_PAUSE_MS = 10;

class ProcessKiller {
  readonly #plan: EpisodeMembers;
  readonly #kernel: KillKernel;
  readonly #members: KillMembers;
  readonly #limitMs: number;
  #killed = 0;

  // Counted in the last round, of the processes that we may signal.
  #running = 0;
  #blocked = 0;
  #living = 0;

  /** All at the same time, before they were killed. */
  #stoodStill = false;

  constructor(kernel: KillKernel, plan: EpisodeMembers, limitMs: number) {
    this.#plan = plan;
    this.#kernel = kernel;
    this.#members = new KillMembers(kernel);
    this.#limitMs = limitMs;
  }

  async killMembers(): Promise<KillResult> {
    // The only check before any signal: the pids in another pid namespace's procfs are other processes here, and in a
    // directory that is not a procfs every process would seem to be gone.
    const errno = this.#kernel.whyForeign();
    if (errno !== null) return { killed: 0, errno };
    this.#members.addPlan(this.#plan);
    await this.#stopAll();
    this.#killAll();
    await this.#awaitEnds();
    this.#rememberTheLiving();
    return { killed: this.#killed, errno: this.#result() };
  }

  /** Whether a process outlives `cgroup.kill` by some ms: the kernel skips those whose first thread has ended. */
  async outlivesCgroupKill(): Promise<boolean> {
    const end = this.#kernel.nowMs() + KILL_OUTLIVE_MS;
    while (this.#kernel.isPopulated()) {
      if (this.#kernel.nowMs() >= end) return true;
      await this.#kernel.pause(KILL_PAUSE_MS);
    }
    return false;
  }

  async #stopAll(): Promise<void> {
    const end = this.#kernel.nowMs() + this.#limitMs;
    for (let quiet = 0; ; await this.#kernel.pause(KILL_PAUSE_MS)) {
      this.#round('SIGSTOP');
      quiet = this.#members.changed ? 0 : quiet + 1;
      const isLast = this.#kernel.nowMs() >= end;
      // A stop takes effect when the process next returns to user mode: until then it may still fork.
      const isPatient = this.#blocked === 0 || quiet >= KILL_PATIENCE_ROUNDS || isLast;
      const atRest = quiet > 0 && this.#running === 0 && isPatient;
      this.#stoodStill = atRest && !this.#members.addUnlistedChildren();
      if (this.#stoodStill || isLast) return;
    }
  }

  /**
   * Kills the youngest first: the end of a parent can orphan a process group, and the kernel then continues the stopped
   * processes in it.
   */
  #killAll(): void {
    const oldestFirst = [...this.#members.all()].sort((a, b) =>
      Number((a.starttime ?? 0n) - (b.starttime ?? 0n)),
    );
    for (const one of oldestFirst.reverse()) {
      const held = this.#kernel.hold(one.pid);
      this.#strike(one, 'SIGKILL', held);
      held.close();
    }
  }

  /** Waits until no new processes appear and all have ended: SIGKILL takes effect only when a process gets a cpu. */
  async #awaitEnds(): Promise<void> {
    const end = this.#kernel.nowMs() + this.#limitMs;
    for (let pauseMs = KILL_PAUSE_MS; ; pauseMs = Math.min(pauseMs + 1, MAX_PAUSE_MS)) {
      this.#round('SIGKILL');
      // A truncated list shows more once the killed processes have left it.
      if (!this.#members.changed && this.#living === 0) return;
      if (this.#kernel.nowMs() >= end) return;
      await this.#kernel.pause(pauseMs);
    }
  }

  /** Allows another call with this plan to find those whose parents have ended by then. */
  #rememberTheLiving(): void {
    this.#plan.processes = [...this.#members.all()].flatMap(
      ({ pid, starttime, spared, refused }) =>
        spared || refused || starttime === null ? [] : [{ pid, starttime }],
    );
  }

  /** Finds all members, and sends the signal to those that have not received it yet. */
  #round(signal: KillSignal): void {
    this.#members.beginRound();
    this.#running = 0;
    this.#blocked = 0;
    this.#living = 0;
    if (signal === 'SIGSTOP') this.#members.childrenCut = false;
    if (this.#plan.cgroup !== null) this.#members.addListed();
    // The members grow during the iteration.
    for (const one of this.#members.all()) this.#visit(one, signal);
  }

  #visit(one: KillMember, signal: KillSignal): void {
    const held = this.#kernel.hold(one.pid);
    // The children are read after the signal: a process that was still running may have forked more before it.
    if (this.#strike(one, signal, held) && one.descends) {
      const children: number[] = [];
      if (!held.appendChildren(children)) {
        this.#members.whole = false;
        this.#members.childrenCut = true;
      }
      this.#members.addChildren(children);
    }
    held.close();
  }

  /** Returns false if the member is gone, has ended, or cannot be read. */
  #strike(one: KillMember, signal: KillSignal, held: HeldProcess): boolean {
    const seen = held.look();
    if (seen === 'unreadable') this.#members.whole = false;
    if (seen === 'gone') this.#members.forget(one);
    if (typeof seen === 'string') return false;
    if (!this.#members.isSame(one, seen)) {
      this.#members.forget(one);
      // The process that has its pid now may be a member too, and was skipped.
      this.#members.changed = true;
      return false;
    }
    if (hasEnded(seen)) {
      one.refused = false;
      return false;
    }
    return one.spared || this.#signal(one, signal, held, seen);
  }

  /** Returns false if it is gone. */
  #signal(one: KillMember, signal: KillSignal, held: HeldProcess, seen: ProcessSight): boolean {
    const first = one.sent !== signal;
    // Another process may have continued one that was stopped. Nothing is read between the check of its identity and
    // the signal.
    if (first || (signal === 'SIGSTOP' && !'Tt'.includes(seen.state))) {
      const errno = held.signal(signal);
      if (errno === 'ESRCH') {
        this.#members.forget(one);
        return false;
      }
      one.refused = errno !== null;
      one.sent = signal;
      if (signal === 'SIGKILL' && !one.refused) this.#killed++;
    }
    if (first) this.#members.changed = true;
    // A process that we may not stop is not waited for.
    if (one.refused) return true;
    const rest = held.rest(seen);
    this.#living++;
    if (rest === Rest.RUNNING) this.#running++;
    if (rest === Rest.BLOCKED) this.#blocked++;
    return true;
  }

  #result(): string | null {
    const members = [...this.#members.all()];
    if (this.#members.listsForeign || members.some(({ refused }) => refused)) return 'EPERM';
    // A child beyond the end of a truncated list, or of a process that had not stopped, has another parent now.
    const isCut = this.#members.childrenCut || !this.#stoodStill;
    const lost = isCut && this.#plan.reapers.length === 0;
    if (this.#members.changed || !this.#members.whole || lost) return 'EAGAIN';
    return this.#living > 0 ? 'ETIMEDOUT' : null;
  }
}
