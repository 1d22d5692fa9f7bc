/**
 * The processes to kill: the members of the episode that the killer has found so far. The twin of
 * `native/core/kill_members.cc`.
 */
import { MAX_KILL_MEMBERS } from '../schema/bounds.js';
import { hasEnded, type KillKernel, type KillSignal, type ProcessSight } from './kill-kernel.js';

/** All members of an episode. */
export interface EpisodeMembers {
  /** The directory of the episode's cgroup, also as `/proc/self/fd/N`, or null. The call opens it before it returns. */
  readonly cgroup: string | null;
  /**
   * Members of the episode, by pid and starttime (ticks). Their descendants belong to it too. Updated to those that
   * were found and are not gone, so that a second call with the plan continues.
   */
  processes: readonly { readonly pid: number; readonly starttime: bigint }[];
  /** Processes whose descendants belong to the episode, but which are not killed themselves. */
  readonly reapers: readonly number[];
}

export interface KillMember {
  readonly pid: number;
  /** null if only its pid is known and it has not been read yet. */
  starttime: bigint | null;
  /** Its children belong to the episode too. */
  descends: boolean;
  /** Never signalled. */
  readonly spared: boolean;
  /** We may not signal it. */
  refused: boolean;
  /** The last signal. */
  sent: KillSignal | null;
}

function member(of: Pick<KillMember, 'pid'> & Partial<KillMember>): KillMember {
  return { starttime: null, descends: false, spared: false, refused: false, sent: null, ...of };
}

export class KillMembers {
  readonly #kernel: KillKernel;
  /** In the order they were found. */
  readonly #members = new Map<number, KillMember>();

  /** In this round a process was found, or received the signal for the first time. */
  changed = false;
  /** In this round every list and every process could be read. */
  whole = true;
  /** The cgroup lists a process that has no pid in our namespace. */
  listsForeign = false;
  /** Children may have been missed since all were last stopped. */
  childrenCut = false;

  constructor(kernel: KillKernel) {
    this.#kernel = kernel;
  }

  /** Members that are added meanwhile are walked too. */
  all(): MapIterator<KillMember> {
    return this.#members.values();
  }

  /** Adds this process, which is spared, and the reapers and processes of the plan. */
  addPlan({ reapers, processes }: EpisodeMembers): void {
    this.#add(member({ pid: this.#kernel.ownPid, spared: true }));
    for (const pid of reapers) this.#add(member({ pid, spared: true, descends: true }));
    for (const { pid, starttime } of processes) {
      this.#add(member({ pid, starttime, descends: true }));
    }
  }

  beginRound(): void {
    this.changed = false;
    this.whole = true;
  }

  forget(gone: KillMember): void {
    this.#members.delete(gone.pid);
  }

  /** Adds the processes that the cgroup lists. */
  addListed(): void {
    const pids = this.#listed('cgroup.procs');
    // A process in a pid namespace that is not below ours is listed as 0 and cannot be signalled.
    this.listsForeign = pids.has(0);
    // A process that was moved in after its first thread had ended is listed only by its other threads.
    if (pids.size === 0) {
      this.#addListedBy('cgroup.threads', this.#listed('cgroup.threads'), (tid) =>
        this.#kernel.processOfThread(tid),
      );
    } else {
      this.#addListedBy('cgroup.procs', pids, (pid) => pid);
    }
  }

  #addListedBy(
    file: 'cgroup.procs' | 'cgroup.threads',
    ids: ReadonlySet<number>,
    pidOf: (id: number) => number | null,
  ): void {
    const found: [id: number, found: KillMember][] = [];
    for (const id of ids) {
      const pid = pidOf(id);
      if (pid === null || this.#members.has(pid)) continue;
      const seen = this.#kernel.look(pid);
      if (seen === 'unreadable') this.whole = false;
      if (typeof seen === 'object') found.push([id, member({ pid, starttime: seen.starttime })]);
    }
    if (found.length === 0) return;
    // An id that is listed again after its starttime was read belongs to the same process both times.
    const again = this.#listed(file);
    for (const [id, one] of found) if (again.has(id)) this.#add(one);
  }

  #listed(file: 'cgroup.procs' | 'cgroup.threads'): Set<number> {
    const ids: number[] = [];
    if (!this.#kernel.appendListed(file, ids)) this.whole = false;
    return new Set(ids);
  }

  addChildren(pids: readonly number[]): void {
    for (const pid of pids) this.#add(member({ pid, descends: true }));
  }

  /**
   * Adds the children that no list of children contains, and returns whether there were any. The kernel may omit a
   * living child from the list while others on it end, and without CONFIG_PROC_CHILDREN there is no list. Complete
   * once all members have stopped, for they cannot fork then.
   */
  addUnlistedChildren(): boolean {
    if (![...this.all()].some(({ descends }) => descends)) return false;
    const known = this.#members.size;
    const pids: number[] = [];
    if (!this.#kernel.appendProcesses(pids)) this.childrenCut = true;
    for (const pid of pids) {
      if (this.#members.has(pid)) continue;
      const seen = this.#kernel.look(pid);
      // A process that cannot be read has just ended, or is hidden from us.
      if (typeof seen === 'string' || hasEnded(seen)) continue;
      if (this.#hasDescendingParent(seen)) this.#add(member({ pid, descends: true }));
    }
    return this.#members.size > known;
  }

  /** Whether `seen` shows the member and not another process that has its pid now. */
  isSame(one: KillMember, seen: ProcessSight): boolean {
    if (one.starttime !== null) return one.starttime === seen.starttime;
    // A pid from a list of children may have been given to another process since.
    if (!one.spared && !this.#hasDescendingParent(seen)) return false;
    one.starttime = seen.starttime;
    return true;
  }

  #hasDescendingParent({ ppid }: ProcessSight): boolean {
    return this.#members.get(ppid)?.descends === true;
  }

  #add(found: KillMember): void {
    const known = this.#members.get(found.pid);
    if (known !== undefined) {
      // A process that the cgroup lists is a descendant as well: its children have yet to be found.
      if (found.descends && !known.descends) {
        known.descends = true;
        this.changed = true;
      }
      return;
    }
    if (found.pid <= 1 && !found.spared) return;
    if (this.#members.size === MAX_KILL_MEMBERS) this.whole = false;
    else this.#members.set(found.pid, found);
  }
}
