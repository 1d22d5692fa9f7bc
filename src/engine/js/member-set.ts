/** The members of an episode, found by parentage or listed by a cgroup, and their total consumption. */

import { saturatingAdd } from '../../frame/saturate.js';
import type { ProcRoot } from '../../kernel/process-directory.js';
import { Channel, PartBit, PartIndex } from '../../schema/enumerations.js';
import type { ProcSpec, ReadFailure } from '../engine.js';
import { BirthWatch, Search, type SearchValue } from './birth-watch.js';
import type { CgroupReader } from './cgroup-reader.js';
import { Ledger, type LedgerRow } from './ledger.js';
import { Member } from './member.js';
import { foreignMemberFailure, hiddenFailure } from './read-failure.js';
import { Reaper } from './reaper.js';

const monotonicNs = (): bigint => process.hrtime.bigint();

/** If one failure affects several parts, it is reported for the first of them in this order. */
const REPORTING_ORDER = [PartIndex.MEMORY, PartIndex.IO, PartIndex.CPU, PartIndex.EXTRA] as const;

export class MemberSet {
  readonly ledger = new Ledger(Channel.COUNT);
  /** The pinned process. It is a member while it has a row, and is watched even without one. */
  readonly root: Member;
  rootGone = false;
  /** Whether any process other than the pinned one has ever been a member. */
  seenOthers = false;

  /** As of the last sample: the number of live members and of zombies, and sums over the live ones. */
  live = 1;
  zombies = 0;
  rssBytes = 0n;
  threads = 0n;
  /** Minimum time between two reads of the processes' `VmHWM`. */
  peakPeriodNs = 0n;
  /** The highest `VmHWM` seen of any single process. */
  peakBytes = 0n;
  /** Whether a member other than the root, or a list of members, could not be read in the last sample. */
  unreadable = false;
  statmUnreadable = false;
  ioUnreadable = false;
  /** As of the last sample, by part: why a member other than the root could not be read, or null. */
  readonly memberFailures: (ReadFailure | null)[] = [null, null, null, null];

  readonly #spec: ProcSpec;
  readonly #procRoot: ProcRoot;
  readonly #members = new Map<number, Member>();
  readonly #reaper: Reaper | null;
  readonly #reaperRow: LedgerRow | null;
  #sample = 0;
  #parts = 0;
  #peaksDueNs = 0n;
  #peaksDue = false;
  /** Pids found in this sample, parents before children; processed from the front. */
  readonly #found: number[] = [];
  readonly #births: BirthWatch;
  #search: SearchValue = Search.LISTS;
  /** Whether this sample searches for children. */
  #searches = false;
  /** Whether a list could not be read completely when the lists were last read. */
  #listsCut = false;
  /** Pids that exist but could not be opened. */
  #unopened: number[] = [];

  constructor(spec: ProcSpec, procRoot: ProcRoot, root: Member) {
    this.#spec = spec;
    this.#procRoot = procRoot;
    this.#births = new BirthWatch(procRoot);
    this.root = root;
    this.#members.set(root.pid, root);
    const { reaperPid } = spec;
    this.#reaper = reaperPid === 0 ? null : new Reaper(procRoot, reaperPid);
    this.#reaperRow = reaperPid === 0 ? null : this.ledger.add(reaperPid, 0n);
    this.ledger.reaper = this.#reaperRow;
  }

  /**
   * Reads every member once and settles the ledger. The members are the processes that `leaf` lists, plus the process
   * tree while the list lacks the live root. Without a leaf they are the process tree.
   */
  sample(parts: number, leaf: CgroupReader | null): void {
    this.#sample++;
    this.#parts = parts;
    this.#lookAtClock();
    this.unreadable = false;
    this.statmUnreadable = false;
    this.ioUnreadable = false;
    this.memberFailures.fill(null);
    this.#searches = false;
    this.#found.length = 0;
    this.#readReaper();
    if (leaf === null) this.#walkTree();
    else this.#walkListed(leaf);
    if (this.#searches && this.#search === Search.LISTS) this.#births.searched(monotonicNs());
    this.#sum();
    // The reaper's row lacks processes reaped since it was read. It can be read again only if no member is left,
    // because live members have to be read after it.
    if (this.live === 0 && this.zombies === 0) this.#readReaper();
    this.ledger.settle();
    this.#dropUncounted();
  }

  #lookAtClock(): void {
    this.#peaksDue = false;
    if ((this.#parts & PartBit.MEMORY) === 0) return;
    const nowNs = process.hrtime.bigint();
    this.#peaksDue = nowNs >= this.#peaksDueNs;
    if (this.#peaksDue) this.#peaksDueNs = nowNs + this.peakPeriodNs;
  }

  /** Reads whether the root is alive. A zombie is not. */
  rootAlive(): boolean {
    if (this.rootGone) return false;
    const there = this.root.refresh(0);
    this.root.directory.leave();
    return there && !this.root.isZombie;
  }

  /** Returns the members that were alive at the last sample, without their threads. */
  known(): { readonly pid: number; readonly starttime: bigint }[] {
    return [...this.#members.values()].flatMap(({ pid, starttime, counted }) =>
      counted && starttime !== null ? [{ pid, starttime }] : [],
    );
  }

  /** Closes every descriptor. */
  close(): void {
    for (const member of this.#members.values()) member.directory.close();
    this.#members.clear();
    this.#reaper?.close();
    this.#births.close();
  }

  #readReaper(): void {
    if (this.#reaper === null || this.#reaperRow === null) return;
    if (!this.#reaper.store(this.#parts, this.#reaperRow)) this.unreadable = true;
  }

  // ---- search for children

  /** Starts the search for children in the cheapest way. */
  #beginSearch(): void {
    this.#searches = true;
    this.#search = this.#births.begin(this.threads, monotonicNs());
    if (this.#search === Search.LISTS) {
      this.#beginLists();
      return;
    }
    if (this.#search === Search.NONE || this.#listsCut) this.unreadable = true;
    this.#found.push(...this.#unopened);
    this.#unopened = [];
  }

  #beginLists(): void {
    this.#search = Search.LISTS;
    this.#listsCut = false;
    this.#unopened = [];
    if (this.#reaper !== null && !this.#reaper.children(this.#found)) this.#noteCut();
  }

  #noteCut(): void {
    this.#listsCut = true;
    this.unreadable = true;
  }

  /** Appends the children of a member whose directory has been entered. */
  #listChildren(member: Member): void {
    if (this.#search !== Search.LISTS) return;
    if (!member.directory.children(this.#found)) this.#noteCut();
  }

  /** Opens the new process with this pid if it is a child of a member, else returns null. Leaves its directory. */
  #openBorn(pid: number, leaf: boolean): Member | null {
    if (pid === this.#spec.reaperPid || this.#members.has(pid)) return null;
    const born = new Member(this.#procRoot, pid);
    if (!born.refresh(0)) {
      this.#births.notThere(pid);
    } else if (born.statFailure === null) {
      const { ppid } = born;
      const parent = this.#members.get(ppid);
      // If a cgroup lists the members, only children of members found by parentage are followed.
      const isOurs =
        parent === undefined
          ? this.#reaper !== null && ppid === this.#spec.reaperPid
          : !leaf || parent.descends;
      // A thread has its own id, but the parent of its process.
      if (isOurs && born.directory.threadGroup() === pid) {
        born.directory.leave();
        this.#members.set(pid, born);
        return born;
      }
    }
    born.directory.close();
    return null;
  }

  // ---- membership

  #walkTree(): void {
    if (this.#spec.tree) this.#beginSearch();
    this.#visitFound();
    if (!this.rootGone) {
      this.root.counted = true;
      if (this.root.visit !== this.#sample) this.#visit(this.root);
    }
    this.#visitFound();
    // Members whose parent exited have a new parent, which may not be a member.
    for (const member of this.#byAge()) {
      if (member.visit === this.#sample) continue;
      this.#visit(member);
      this.#visitFound();
    }
    if (!this.#searches || this.#search === Search.LISTS) return;
    for (const pid of this.#births.born) {
      const member = this.#openBorn(pid, false);
      if (member !== null) this.#visit(member);
    }
    // Before concluding that no member is left, read the lists for children that the new pids did not show.
    if (this.#anyLives()) return;
    this.#beginLists();
    this.#visitFound();
  }

  #anyLives(): boolean {
    for (const member of this.#members.values()) {
      if (member.counted && !member.isZombie) return true;
    }
    return false;
  }

  #visitFound(): void {
    // The list grows during the iteration.
    for (let i = 0; i < this.#found.length; i++) {
      const pid = this.#found[i]!;
      const known = this.#members.get(pid);
      if (known !== undefined) {
        if (known.visit === this.#sample) continue;
        this.#visit(known);
      }
      // A new process, possibly with the pid of a member that was just found to have exited.
      if (!this.#members.has(pid)) {
        const member = this.#open(pid);
        if (member !== null) this.#visit(member);
      }
    }
    this.#found.length = 0;
  }

  /** Reads a member and finds its children. */
  #visit(member: Member): void {
    if (this.#observe(member)) {
      this.#store(member);
      if (this.#spec.tree && member.statFailure === null) this.#listChildren(member);
    }
    member.directory.leave();
  }

  #walkListed(leaf: CgroupReader): void {
    const listed: number[] = [];
    const whole = leaf.listMembers(listed);
    if (!whole) this.unreadable = true;
    let unseen: number[] | undefined;
    for (const pid of listed) {
      if (pid !== 0 && pid === this.#spec.reaperPid) continue;
      const member = this.#members.get(pid) ?? this.#open(pid);
      if (member === null) {
        unseen ??= [];
        unseen.push(pid);
        continue;
      }
      member.listed = this.#sample;
      member.counted = true;
    }
    // An incomplete list does not mean that there are no members: while it lacks the live root, because it could not be
    // read or the process has not been moved in yet, members are also found by parentage.
    const byParentage = this.root.listed !== this.#sample && this.rootAlive();
    if (byParentage) this.#findDescendants();
    // The list is unordered, but a parent must be read before its children.
    for (const member of this.#byAge()) {
      if (this.#observe(member) && member.statFailure === null) {
        if (this.#belongs(member, byParentage, whole)) this.#store(member);
        else this.#moveOut(member);
      }
      member.directory.leave();
    }
    // The pid of a member that has exited may have been reused.
    for (const pid of listed) {
      const member = this.#members.has(pid) ? null : this.#open(pid);
      if (member !== null && this.#observe(member)) this.#store(member);
      member?.directory.leave();
    }
    if (unseen !== undefined) this.#noteUnseen(leaf, unseen);
  }

  /** A pid that is listed again is alive; it could not be opened because `/proc` hides it or its pid namespace. */
  #noteUnseen(leaf: CgroupReader, unseen: readonly number[]): void {
    const listed: number[] = [];
    leaf.listMembers(listed);
    for (const pid of unseen) {
      if (this.#members.has(pid) || !listed.includes(pid)) continue;
      this.#noteUnread(PartBit.ALL, pid === 0 ? foreignMemberFailure() : hiddenFailure(pid));
    }
  }

  /** Records a failure of a member other than the root. One failure that affects several parts is reported once. */
  #noteUnread(parts: number, failure: ReadFailure): void {
    if (parts === PartBit.ALL) this.unreadable = true;
    if ((parts & PartBit.MEMORY) !== 0) this.statmUnreadable = true;
    if ((parts & PartBit.IO) !== 0) this.ioUnreadable = true;
    // The process has exited meanwhile, and its parent accounts for what it used.
    if (failure.code === 'ERR_PROC_GONE') return;
    const part = REPORTING_ORDER.find((p) => ((parts & this.#parts) >> p) & 1);
    if (part !== undefined) this.memberFailures[part] ??= failure;
  }

  #belongs(member: Member, byParentage: boolean, whole: boolean): boolean {
    if (member.listed === this.#sample || (byParentage && member.descends)) return true;
    // A zombie is no longer listed, but its parent, which will reap it, is still to be credited.
    return member.counted && (!whole || member.isZombie);
  }

  /** Only finds the members; all of them are read afterwards, the oldest first. */
  #findDescendants(): void {
    this.root.descends = true;
    this.root.counted = true;
    if (!this.#spec.tree) return;
    this.#beginSearch();
    // Descendants whose parent exited are no longer found through it, so start from each of them.
    for (const member of this.#members.values()) if (member.descends) this.#findChildren(member);
    // The list starts with the reaper's children and grows during the iteration.
    for (let i = 0; i < this.#found.length; i++) {
      const pid = this.#found[i]!;
      const member = this.#members.get(pid) ?? this.#open(pid);
      if (member === null || member.descends) continue;
      member.descends = true;
      this.#findChildren(member);
    }
    this.#found.length = 0;
    if (this.#search !== Search.BIRTHS) return;
    for (const pid of this.#births.born) {
      const member = this.#openBorn(pid, true);
      if (member !== null) member.descends = true;
    }
  }

  #findChildren(member: Member): void {
    if (this.#search !== Search.LISTS || member.directory.enter() < 0) return;
    this.#listChildren(member);
    member.directory.leave();
  }

  /** Returns all members, oldest first, so that parents precede their children. */
  #byAge(): Member[] {
    return [...this.#members.values()].sort(
      (a, b) => compare(a.starttime ?? 0n, b.starttime ?? 0n) || a.pid - b.pid,
    );
  }

  /** Pins the process that has this pid now. */
  #open(pid: number): Member | null {
    if (pid === this.#spec.reaperPid) return null;
    const member = new Member(this.#procRoot, pid);
    const there = member.refresh(0);
    if (!there || member.statFailure !== null) {
      // It has exited already; its parent accounts for what it used.
      if (member.statFailure !== null) {
        this.#noteUnread(PartBit.ALL, member.statFailure);
        if (this.#searches) this.#unopened.push(pid);
      }
      member.directory.close();
      return null;
    }
    member.directory.leave();
    this.#members.set(pid, member);
    return member;
  }

  // ---- figures of each member

  /** Reads a member and leaves its directory entered. Returns false, and removes the member, if it has exited. */
  #observe(member: Member): boolean {
    member.visit = this.#sample;
    if (member.refresh(this.#parts)) {
      const peak = this.#peaksDue ? member.readPeak() : null;
      if (peak !== null && peak > this.peakBytes) this.peakBytes = peak;
      return true;
    }
    if (member.row !== null) this.ledger.vanish(member.row);
    member.row = null;
    member.counted = false;
    member.directory.close();
    this.#members.delete(member.pid);
    if (member === this.root) this.rootGone = true;
    return false;
  }

  #store(member: Member): void {
    if (member.statFailure !== null || member.starttime === null) return;
    member.row ??= this.ledger.add(member.pid, member.starttime);
    member.counted = true;
    if (member !== this.root) this.seenOthers = true;
    member.store(this.#parts);
  }

  /** Removes a live member that is no longer listed. Its past consumption counts, its future consumption does not. */
  #moveOut(member: Member): void {
    if (member.row !== null) this.ledger.leave(member.row);
    member.row = null;
    member.counted = false;
  }

  /** Stops watching processes that are no longer members. The root is always watched. */
  #dropUncounted(): void {
    for (const member of this.#members.values()) {
      if (member.counted || member === this.root) continue;
      this.#members.delete(member.pid);
      member.directory.close();
    }
  }

  #sum(): void {
    this.live = 0;
    this.zombies = 0;
    this.rssBytes = 0n;
    this.threads = 0n;
    for (const member of this.#members.values()) {
      if (member !== this.root) {
        if (member.statFailure !== null) this.#noteUnread(PartBit.ALL, member.statFailure);
        if (member.statmFailure !== null) this.#noteUnread(PartBit.MEMORY, member.statmFailure);
        if (member.ioFailure !== null) this.#noteUnread(PartBit.IO, member.ioFailure);
      }
      if (!member.counted) continue;
      if (member.isZombie) {
        this.zombies++;
        continue;
      }
      this.live++;
      this.rssBytes = saturatingAdd(this.rssBytes, member.rssBytes);
      this.threads = saturatingAdd(this.threads, member.threads);
    }
  }
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
