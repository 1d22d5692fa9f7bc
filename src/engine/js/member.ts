/** One process of an episode: the values of its `/proc` files, and its row in the ledger. */

import { saturatingAdd, saturatingMul, saturatingSub } from '../../frame/saturate.js';
import {
  type KeptFile,
  ReadStatus,
  type ReadStatusValue,
  readBuffer,
  readOnce,
} from '../../kernel/kept-file.js';
import { ProcessDirectory, type ProcRoot, statusNumber } from '../../kernel/process-directory.js';
import { beneath, Errno, listDirectory } from '../../kernel/syscall.js';
import type { TextParser } from '../../kernel/text/fault.js';
import { parseProcIo } from '../../kernel/text/flat.js';
import { ProcStat, parseProcStat } from '../../kernel/text/proc-stat.js';
import { parseStatm } from '../../kernel/text/statm.js';
import { Channel, PartBit } from '../../schema/enumerations.js';
import type { ReadFailure } from '../engine.js';
import type { LedgerRow } from './ledger.js';
import { failure, hiddenFailure, parseFailure, readFailure } from './read-failure.js';
import { systemFacts } from './system.js';

const ZOMBIE = BigInt('Z'.charCodeAt(0));
const DEAD = new Set([BigInt('X'.charCodeAt(0)), BigInt('x'.charCodeAt(0))]);

const STATM_SIZE = 0;
const STATM_RESIDENT = 1;
const STATM_SHARED = 2;
const IO_READ_BYTES = 4;
const IO_WRITE_BYTES = 5;

// Only used within one refresh, so all processes share them.
const stat: (bigint | null)[] = Array.from({ length: 12 }, () => null);
const statm: (bigint | null)[] = Array.from({ length: 3 }, () => null);
const io: (bigint | null)[] = Array.from({ length: 6 }, () => null);

export class Member {
  readonly pid: number;
  readonly directory: ProcessDirectory;
  /** null if the process does not count or has not been read since. */
  row: LedgerRow | null = null;
  /** The process is a member: its consumption counts, and a failure to read it makes the figures incomplete. */
  counted = false;
  /** The last sample that saw the process. */
  visit = 0;
  /** The last sample in which the cgroup listed the process. */
  listed = 0;
  /** The process was found by parentage while the cgroup did not list the root. */
  descends = false;
  /** Start time in clock ticks since boot, which identifies the process together with the pid; null if never read. */
  starttime: bigint | null = null;
  ppid = 0;
  threads = 0n;
  isZombie = false;
  rssBytes = 0n;
  /** The page faults of the process when its peak was last read. */
  #peakFaults: bigint | null = null;
  /** The errno with which the process was found to have exited; ESRCH if the text showed it. */
  goneErrno = 0;
  /** The thread whose `statm` was last read. */
  #memoryTid: string | null = null;
  /** Failure of the last refresh. */
  statFailure: ReadFailure | null = null;
  statmFailure: ReadFailure | null = null;
  ioFailure: ReadFailure | null = null;

  constructor(root: ProcRoot, pid: number) {
    this.pid = pid;
    this.directory = new ProcessDirectory(root, pid);
  }

  /**
   * Reads the files of the requested parts and leaves the directory entered. Returns false if the process has exited:
   * the file does not exist, the state is `X` (its time has already been added to its parent), or another process has
   * its pid.
   */
  refresh(parts: number): boolean {
    this.statFailure = null;
    this.statmFailure = null;
    this.ioFailure = null;
    const errno = this.directory.enter();
    if (errno === Errno.ENOENT || errno === Errno.ESRCH) return this.#notFound(errno);
    if (errno < 0) {
      this.statFailure = failure('ERR_PROC_READ', 'stat', errno, this.pid);
      return true;
    }
    const status = this.directory.stat.read(this.directory.fd);
    if (status === ReadStatus.ABSENT || status === ReadStatus.DEAD) {
      return this.#notFound(readBuffer.errno);
    }
    this.statFailure = this.#refused(this.directory.stat, status, parseProcStat, stat);
    if (this.statFailure !== null) return true;
    this.starttime ??= stat[ProcStat.STARTTIME]!;
    if (stat[ProcStat.STARTTIME] !== this.starttime) return this.#gone(Errno.ESRCH);
    if (DEAD.has(stat[ProcStat.STATE]!)) return this.#gone(Errno.ESRCH);
    this.ppid = Number(stat[ProcStat.PPID]!);
    this.threads = stat[ProcStat.NUM_THREADS]!;
    // A thread group leader that exited before its threads is also in state Z, but the process is alive.
    const leaderEnded = stat[ProcStat.STATE] === ZOMBIE;
    this.isZombie = leaderEnded && this.threads <= 1n;
    if ((parts & PartBit.MEMORY) !== 0) this.#readStatm(leaderEnded && !this.isZombie);
    if ((parts & PartBit.IO) !== 0) this.#readIo();
    return true;
  }

  /** Stores the values of the last `refresh` in the row. Must be called before another member is refreshed. */
  store(parts: number): void {
    const { row } = this;
    if (row === null || this.statFailure !== null) return;
    row.ppid = Number(stat[ProcStat.PPID]!);
    storeStat(row);
    if ((parts & PartBit.IO) === 0 || this.ioFailure !== null) return;
    // The kernel adds the io of reaped children to their parent's own io, so the ledger treats all of it as reaped.
    row.store(Channel.IO_READ, 0n, io[IO_READ_BYTES]!);
    row.store(Channel.IO_WRITE, 0n, io[IO_WRITE_BYTES]!);
  }

  /** Distinguishes a process that exited from one that exists but is hidden. */
  #notFound(errno: number): boolean {
    if (!this.directory.isHidden(errno)) return this.#gone(errno);
    this.statFailure = hiddenFailure(this.pid);
    return true;
  }

  /**
   * Returns the highest rss of the process since its exec (`VmHWM`). Must follow a `refresh`. Returns null if the
   * process has had no page fault since the last read, or if the value is missing.
   */
  readPeak(): bigint | null {
    if (this.statFailure !== null) return null;
    const faults = saturatingAdd(stat[ProcStat.MINFLT]!, stat[ProcStat.MAJFLT]!);
    if (faults === this.#peakFaults) return null;
    const kib = statusNumber(this.directory.fd, 'VmHWM');
    if (kib === null) return null;
    this.#peakFaults = faults;
    return saturatingMul(kib, 1024n);
  }

  #gone(errno: number): false {
    this.goneErrno = errno;
    return false;
  }

  /** A leader that has exited has no memory, so the memory of the process is read from another thread. */
  #readStatm(ofThread: boolean): void {
    if (!ofThread || !this.#readThreadStatm()) {
      const file = this.directory.statm;
      const status = file.read(this.directory.fd);
      this.statmFailure = this.#refused(file, status, parseStatm, statm);
      if (this.statmFailure !== null) return;
    }
    const pages = saturatingSub(statm[STATM_RESIDENT]!, statm[STATM_SHARED]!);
    this.rssBytes = saturatingMul(pages, systemFacts().pageBytes);
  }

  #readThreadStatm(): boolean {
    if (this.#memoryTid !== null && this.#readStatmOf(this.#memoryTid)) return true;
    const tasks = listDirectory(beneath(this.directory.fd, 'task'));
    if (typeof tasks === 'number') return false;
    return tasks.some(({ name }) => this.#readStatmOf(name));
  }

  /** Returns false if the thread has exited or is exiting; all of its values are 0 then. */
  #readStatmOf(tid: string): boolean {
    if (readOnce(beneath(this.directory.fd, `task/${tid}/statm`)) !== ReadStatus.OK) return false;
    const refused = parseStatm(readBuffer.bytes, readBuffer.size, statm);
    if (refused !== null || statm[STATM_SIZE] === 0n) return false;
    this.#memoryTid = tid;
    return true;
  }

  #readIo(): void {
    const file = this.directory.io;
    const status = file.read(this.directory.fd);
    this.ioFailure = this.#refused(file, status, parseProcIo, io);
  }

  #refused(
    file: KeptFile,
    status: ReadStatusValue,
    parse: TextParser,
    values: (bigint | null)[],
  ): ReadFailure | null {
    if (status === ReadStatus.DEAD) {
      return failure('ERR_PROC_GONE', file.name, readBuffer.errno, this.pid);
    }
    if (status !== ReadStatus.OK) {
      return readFailure('ERR_PROC_READ', file.name, status, this.pid);
    }
    const refused = parse(readBuffer.bytes, readBuffer.size, values);
    return refused === null ? null : parseFailure('ERR_PROC_PARSE', file.name, refused, this.pid);
  }
}

function storeStat(row: LedgerRow): void {
  const { nsPerTick } = systemFacts();
  const ns = (field: number): bigint => saturatingMul(stat[field]!, nsPerTick);
  const user = ns(ProcStat.UTIME);
  const system = ns(ProcStat.STIME);
  const reapedUser = ns(ProcStat.CUTIME);
  const reapedSystem = ns(ProcStat.CSTIME);
  row.store(Channel.CPU, saturatingAdd(user, system), saturatingAdd(reapedUser, reapedSystem));
  row.store(Channel.CPU_USER, user, reapedUser);
  row.store(Channel.CPU_SYSTEM, system, reapedSystem);
  row.store(Channel.MINOR_FAULTS, stat[ProcStat.MINFLT]!, stat[ProcStat.CMINFLT]!);
  row.store(Channel.MAJOR_FAULTS, stat[ProcStat.MAJFLT]!, stat[ProcStat.CMAJFLT]!);
}
