/**
 * Sums the metrics of one process, of a process tree, or of the members of a bare leaf from `/proc`. The twin of
 * `native/core/proc_reader.cc`.
 */

import { isShortage } from '../../kernel/errno.js';
import {
  hasSamePids,
  isSlashProc,
  procRootAt,
  whyForeign,
} from '../../kernel/process-directory.js';
import { Errno } from '../../kernel/syscall.js';
import { Channel, PartIndex, type PartIndexValue } from '../../schema/enumerations.js';
import { FrameWord, QualityBit } from '../../schema/layout.js';
import { PART_WORDS, PROC_WORDS } from '../../schema/metrics.js';
import type { ProcSpec, ReadFailure } from '../engine.js';
import type { CgroupReader } from './cgroup-reader.js';
import { Member } from './member.js';
import { MemberSet } from './member-set.js';
import { failure } from './read-failure.js';
import type { Reading } from './reading.js';

/** The words that channels of the ledger fill, by part. */
const CHANNEL_WORDS = {
  [PartIndex.CPU]: [
    [FrameWord.CPU_NS, Channel.CPU],
    [FrameWord.CPU_USER_NS, Channel.CPU_USER],
    [FrameWord.CPU_SYSTEM_NS, Channel.CPU_SYSTEM],
  ],
  [PartIndex.MEMORY]: [
    [FrameWord.PAGE_FAULTS_MAJOR, Channel.MAJOR_FAULTS],
    [FrameWord.PAGE_FAULTS_MINOR, Channel.MINOR_FAULTS],
  ],
  [PartIndex.IO]: [
    [FrameWord.IO_READ_BYTES, Channel.IO_READ],
    [FrameWord.IO_WRITE_BYTES, Channel.IO_WRITE],
  ],
  [PartIndex.EXTRA]: [],
} as const;

const PARTS = Object.values(PartIndex);

/** The words to unset with a part. In the extra part the cgroup may have filled the others, so they are kept. */
const UNSET_WORDS = PARTS.map((part) => (part === PartIndex.EXTRA ? PROC_WORDS : PART_WORDS)[part]);

export class ProcReader {
  #spec: ProcSpec | null = null;
  #set: MemberSet | null = null;
  #leaf: CgroupReader | null = null;
  #peakBytes = 0n;
  #samePids = false;
  readonly #failures: (ReadFailure | null)[] = [null, null, null, null];

  /**
   * Pins the process by kept descriptors and its starttime. Returns null on success, or `ERR_PROC_GONE`,
   * `ERR_PROC_READ`, `ERR_PROC_PARSE`, `ERR_INVALID_PID` (the id of a thread other than the leader), or
   * `ERR_PROC_NOT_AVAILABLE` (`/proc` does not belong to our pid namespace). The namespace of a `procRoot` other than
   * `/proc` is not checked.
   */
  open(spec: ProcSpec): ReadFailure | null {
    const procRoot = procRootAt(spec.procRoot);
    const foreign = isSlashProc(procRoot) ? whyForeign(procRoot) : 0;
    if (isShortage(foreign)) return failure('ERR_PROC_READ', 'stat', foreign, spec.pid);
    if (foreign !== 0) return failure('ERR_PROC_NOT_AVAILABLE', '', foreign, spec.pid);
    const root = new Member(procRoot, spec.pid);
    const refused = pin(root);
    root.directory.leave();
    if (refused !== null) {
      root.directory.close();
      return refused;
    }
    this.#spec = spec;
    this.#samePids = hasSamePids(procRoot);
    this.#set = new MemberSet(spec, procRoot, root);
    return null;
  }

  /** Sets the minimum time between two reads of the processes' `VmHWM`. */
  set peakPeriodNs(periodNs: bigint) {
    if (this.#set !== null) this.#set.peakPeriodNs = periodNs;
  }

  /**
   * Takes the members from the list of a cgroup from now on. While the list lacks the live pinned process, because it
   * could not be read or the process has not been moved in yet, its tree by parentage counts too. null returns to
   * parentage alone.
   */
  setMembers(leaf: CgroupReader | null): void {
    this.#leaf = leaf;
  }

  /**
   * Reads every member once and fills the words of the requested parts (PartBit): memory and io are sums over the
   * members, cpu is the total of the ledger. Returns the parts that are available. After all members have exited, the
   * words of CPU and IO still hold the last totals, but the parts are unavailable unless there is a reaper.
   */
  read(parts: number, out: Reading): number {
    const set = this.#set;
    if (set === null) return 0;
    set.sample(parts, this.#leaf);
    if (set.rssBytes > this.#peakBytes) this.#peakBytes = set.rssBytes;
    if (set.peakBytes > this.#peakBytes) this.#peakBytes = set.peakBytes;

    const gone = set.rootGone && set.live === 0;
    let got = 0;
    for (const part of PARTS) {
      if (((parts >> part) & 1) === 0) continue;
      for (const word of UNSET_WORDS[part]!) out.unset(word);
      const refused = gone ? this.#whyGone(part) : this.#rootFailure(set.root, part);
      this.#failures[part] = refused;
      if (refused === null) got |= 1 << part;
      if (refused === null || (gone && isTotal(part))) this.#fill(part, set, out);
    }
    return got;
  }

  /** Returns why the part was unavailable when it was last read, or null. */
  failure(part: PartIndexValue): ReadFailure | null {
    return this.#failures[part] ?? null;
  }

  /** Returns why the last figure of the part lacks a member other than the pinned process, or null. */
  memberFailure(part: PartIndexValue): ReadFailure | null {
    return this.#set?.memberFailures[part] ?? null;
  }

  /** Returns `QualityBit.LOWER_BOUND` if the last figure of part `index` may be incomplete, else 0. */
  quality(index: number): number {
    const set = this.#set;
    if (set === null) return 0;
    const { anyVanished } = set.ledger;
    let missing = set.unreadable;
    if (index === PartIndex.CPU) {
      const tree = this.#spec?.tree === true || this.#leaf !== null;
      missing ||= set.rootGone || (tree && (anyVanished || set.seenOthers));
    }
    if (index === PartIndex.MEMORY) missing ||= set.statmUnreadable;
    if (index === PartIndex.IO) missing ||= set.ioUnreadable || anyVanished;
    if (index !== PartIndex.MEMORY && this.totalsExact) missing = false;
    return missing ? QualityBit.LOWER_BOUND : 0;
  }

  /** Reads whether the pinned process is alive. A zombie is not. */
  rootAlive(): boolean {
    const set = this.#set;
    if (set === null) return false;
    return set.rootAlive();
  }

  /** Number of members that were alive at the last read. */
  get liveMembers(): number {
    return this.#set?.live ?? 0;
  }

  /** Returns the members that were alive at the last read, or the pinned process before the first one. */
  known(): { readonly pid: number; readonly starttime: bigint }[] {
    return this.#set?.known() ?? [];
  }

  /** Whether the pids are valid in this process: `procRoot` is a procfs of our pid namespace. */
  get samePids(): boolean {
    return this.#samePids;
  }

  /** Whether the totals are exact: with a reaper, every process that exited has been reaped and accounted. */
  get totalsExact(): boolean {
    const set = this.#set;
    if (set === null || this.#spec?.reaperPid === 0) return false;
    return set.live === 0 && set.zombies === 0;
  }

  close(): void {
    this.#set?.close();
    this.#set = null;
  }

  #fill(part: PartIndexValue, set: MemberSet, out: Reading): void {
    const { totals } = set.ledger;
    for (const [word, channel] of CHANNEL_WORDS[part]) out.set(word, totals[channel]!);
    if (part === PartIndex.MEMORY) {
      out.set(FrameWord.MEM_RSS_BYTES, set.rssBytes);
      out.set(FrameWord.MEM_PEAK_BYTES, this.#peakBytes);
    }
    if (part === PartIndex.EXTRA) out.set(FrameWord.PIDS, set.threads);
  }

  /** A part is unavailable if the pinned process cannot be read, unless a cgroup lists other members only. */
  #rootFailure(root: Member, part: PartIndexValue): ReadFailure | null {
    if (!root.counted) return null;
    if (root.statFailure !== null) return root.statFailure;
    if (part === PartIndex.MEMORY) return root.statmFailure;
    return part === PartIndex.IO ? root.ioFailure : null;
  }

  #whyGone(part: PartIndexValue): ReadFailure | null {
    // With a reaper, the totals include everything that has exited.
    if (isTotal(part) && this.#spec?.reaperPid !== 0) return null;
    return failure('ERR_PROC_GONE', 'stat', Errno.ESRCH, this.#spec?.pid);
  }
}

/** Whether the ledger keeps the total of the part after all members have exited. */
function isTotal(part: PartIndexValue): boolean {
  return part === PartIndex.CPU || part === PartIndex.IO;
}

function pin(root: Member): ReadFailure | null {
  if (!root.refresh(0)) return failure('ERR_PROC_GONE', 'stat', root.goneErrno, root.pid);
  if (root.statFailure !== null) return root.statFailure;
  const process = root.directory.threadGroup();
  return process === null || process === root.pid
    ? null
    : failure('ERR_INVALID_PID', 'status', 0, root.pid);
}
