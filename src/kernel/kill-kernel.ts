/**
 * The kernel interface of the process killer. Tests of its rules substitute a scripted kernel. The twin of
 * `native/core/kill_kernel.h`.
 */

export type KillSignal = 'SIGSTOP' | 'SIGKILL';

/** The contents of `/proc/<pid>/stat`. */
export interface ProcessSight {
  readonly state: string;
  readonly ppid: number;
  readonly threads: bigint;
  /** Ticks since boot. */
  readonly starttime: bigint;
}

/** `unreadable`: the process may be alive; `/proc` hides it, or no descriptor was left. */
export type Sight = ProcessSight | 'gone' | 'unreadable';

/** How close a process is to having stopped. */
export const Rest = { STOPPED: 0, BLOCKED: 1, RUNNING: 2 } as const;
export type RestValue = (typeof Rest)[keyof typeof Rest];

/** A process whose directory stays open between calls. */
export interface HeldProcess {
  look(): Sight;
  /** Returns null, or the errno. */
  signal(signal: KillSignal): string | null;
  /** Considers all threads: the first one may have stopped before the others, or ended before them. */
  rest(seen: ProcessSight): RestValue;
  /** Appends the children of all threads. Returns false if some may be missing. */
  appendChildren(pids: number[]): boolean;
  close(): void;
}

export interface KillKernel {
  nowMs(): number;
  pause(ms: number): Promise<void>;
  readonly ownPid: number;

  /** Returns null, or the errno that says why the pids in `/proc` are not those that kill(2) takes. */
  whyForeign(): string | null;
  /** Appends every pid in `/proc`. Returns false if some may be missing. */
  appendProcesses(pids: number[]): boolean;
  hold(pid: number): HeldProcess;
  /** Reads `/proc/<pid>/stat` without holding the process. */
  look(pid: number): Sight;
  /** Returns the pid of the process that the thread belongs to; null if it cannot be read. */
  processOfThread(tid: number): number | null;

  /** Writes `cgroup.kill` unless this process is in the cgroup. Returns null, or the errno. */
  killCgroup(): Promise<string | null>;
  /** Returns `populated` of `cgroup.events`; false if it cannot be read. */
  isPopulated(): boolean;
  /** Appends the ids in a file of the cgroup and of those below it. Returns false if some may be missing. */
  appendListed(file: 'cgroup.procs' | 'cgroup.threads', ids: number[]): boolean;
}

/** Whether the process has ended. State Z alone does not prove it: its other threads may outlive the first one. */
export function hasEnded({ state, threads }: ProcessSight): boolean {
  return 'Xx'.includes(state) || (state === 'Z' && threads <= 1n);
}
