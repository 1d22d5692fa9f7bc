/**
 * The process killer's view of the running kernel: `/proc` and the cgroup's files. Node has no pidfds, so the killer
 * checks which process a pid belongs to right before each signal.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoName } from '../error/errno-name.js';
import { codeOf } from '../realm/index.js';
import { writeControlFile } from './cgroup-actions.js';
import { listCgroupMembers } from './cgroup-members.js';
import { KeptFile, ReadStatus, readBuffer, readOnce } from './kept-file.js';
import {
  type HeldProcess,
  type KillKernel,
  type KillSignal,
  type ProcessSight,
  Rest,
  type RestValue,
  type Sight,
} from './kill-kernel.js';
import { ProcessDirectory, type ProcRoot, procRootAt, whyForeign } from './process-directory.js';
import { beneath, close, Errno, listDirectory, mayExist, openDirectory } from './syscall.js';
import { ProcStat, parseProcStat } from './text/proc-stat.js';

export class LinuxKillKernel implements KillKernel {
  readonly ownPid = process.pid;
  readonly #procRoot = procRootAt('/proc');
  /** The cgroup's directory, or a negative errno. */
  readonly #cgroup: number;

  constructor(cgroup: string | null) {
    this.#cgroup = cgroup === null ? Errno.ENOENT : openDirectory(`${cgroup}/.`);
  }

  close(): void {
    if (this.#cgroup >= 0) close(this.#cgroup);
  }

  nowMs(): number {
    return performance.now();
  }

  async pause(ms: number): Promise<void> {
    await sleep(ms);
  }

  whyForeign(): string | null {
    const errno = whyForeign(this.#procRoot);
    return errno === 0 ? null : errnoName(errno);
  }

  appendProcesses(pids: number[]): boolean {
    const listed = listDirectory(this.#procRoot.path);
    if (typeof listed === 'number') return false;
    for (const { name } of listed) if (/^\d+$/.test(name)) pids.push(Number(name));
    return true;
  }

  hold(pid: number): HeldProcess {
    return new OpenProcess(this.#procRoot, pid);
  }

  look(pid: number): Sight {
    const held = this.hold(pid);
    const sight = held.look();
    held.close();
    return sight;
  }

  processOfThread(tid: number): number | null {
    const directory = new ProcessDirectory(this.#procRoot, tid);
    const pid = directory.enter() < 0 ? null : directory.threadGroup();
    directory.close();
    return pid;
  }

  async killCgroup(): Promise<string | null> {
    if (this.#cgroup < 0) return errnoName(this.#cgroup);
    return await writeControlFile(beneath(this.#cgroup, 'cgroup.kill'), '1');
  }

  isPopulated(): boolean {
    if (readOnce(beneath(this.#cgroup, 'cgroup.events')) !== ReadStatus.OK) return false;
    const text = Buffer.from(readBuffer.bytes.buffer, 0, readBuffer.size).toString('latin1');
    return /^populated 1$/m.test(text);
  }

  appendListed(file: string, ids: number[]): boolean {
    if (this.#cgroup < 0) return isGone(this.#cgroup);
    if (listCgroupMembers(this.#cgroup, new KeptFile(file, false), ids)) return true;
    // A cgroup that was removed meanwhile has no members.
    return !mayExist(beneath(this.#cgroup, 'cgroup.procs'));
  }
}

class OpenProcess implements HeldProcess {
  readonly #pid: number;
  readonly #root: ProcRoot;
  readonly #directory: ProcessDirectory;

  constructor(root: ProcRoot, pid: number) {
    this.#pid = pid;
    this.#root = root;
    this.#directory = new ProcessDirectory(root, pid);
  }

  look(): Sight {
    const directory = this.#directory;
    const errno = directory.enter();
    if (errno < 0) return this.#unseen(errno);
    if (directory.stat.read(directory.fd) !== ReadStatus.OK) return this.#unseen(readBuffer.errno);
    return parsedSight() ?? 'unreadable';
  }

  #unseen(errno: number): Sight {
    return isGone(errno) && !this.#directory.isHidden(errno) ? 'gone' : 'unreadable';
  }

  signal(signal: KillSignal): string | null {
    try {
      process.kill(this.#pid, signal);
      return null;
    } catch (error) {
      const code = codeOf(error);
      if (code !== null) return code;
      throw error;
    }
  }

  rest({ state, threads }: ProcessSight): RestValue {
    let rest = restOfState(state);
    if (threads <= 1n) return rest;
    const tasks = `${this.#root.path}/${this.#pid}/task`;
    const listed = listDirectory(tasks);
    if (typeof listed === 'number') return Rest.RUNNING;
    for (const { name } of listed) {
      // A thread that cannot be read has just ended.
      if (readOnce(`${tasks}/${name}/stat`) !== ReadStatus.OK) continue;
      const thread = parsedSight();
      if (thread !== null && restOfState(thread.state) > rest) rest = restOfState(thread.state);
    }
    return rest;
  }

  appendChildren(pids: number[]): boolean {
    return this.#directory.children(pids);
  }

  close(): void {
    this.#directory.close();
  }
}

// Scratch space of parsedSight.
const stat: (bigint | null)[] = Array.from({ length: 12 }, () => null);

/** Parses the contents of `readBuffer`. */
function parsedSight(): ProcessSight | null {
  if (parseProcStat(readBuffer.bytes, readBuffer.size, stat) !== null) return null;
  return {
    state: String.fromCharCode(Number(stat[ProcStat.STATE])),
    ppid: Number(stat[ProcStat.PPID]),
    threads: stat[ProcStat.NUM_THREADS]!,
    starttime: stat[ProcStat.STARTTIME]!,
  };
}

function restOfState(state: string): RestValue {
  if ('TtZXx'.includes(state)) return Rest.STOPPED;
  return state === 'D' ? Rest.BLOCKED : Rest.RUNNING;
}

function isGone(errno: number): boolean {
  return errno === Errno.ENOENT || errno === Errno.ESRCH;
}
