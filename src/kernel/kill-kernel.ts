/**
 * What the process killer asks the kernel. Its rules are tested with a scripted kernel in its place. The twin of
 * `native/core/kill_kernel.h`.
 */

export type KillSignal = 'SIGSTOP' | 'SIGKILL';

/** What `/proc/<pid>/stat` says. */
export interface ProcessSight {
  readonly state: string;
  readonly ppid: number;
  readonly threads: bigint;
  /** Ticks since boot. */
  readonly starttime: bigint;
}

/** `unreadable`: it may live; `/proc` hides it, or no descriptor was left. */
export type Sight = ProcessSight | 'gone' | 'unreadable';

/** How far a process is from standing still. */
export const Rest = { STOPPED: 0, BLOCKED: 1, RUNNING: 2 } as const;
export type RestValue = (typeof Rest)[keyof typeof Rest];

/** A process whose directory stays open between these calls. */
export interface HeldProcess {
  look(): Sight;
  /** null, or the errno. */
  signal(signal: KillSignal): string | null;
  /** Considers all threads: the first one may have stopped before the others, or ended before them. */
  rest(seen: ProcessSight): RestValue;
  /** Appends the children of all threads. False: the list may lack some. */
  appendChildren(pids: number[]): boolean;
  close(): void;
}

export interface KillKernel {
  nowMs(): number;
  pause(ms: number): Promise<void>;
  readonly ownPid: number;

  /** null, or the errno that says why the pids in `/proc` are not those that kill(2) takes. */
  whyForeign(): string | null;
  /** Appends every pid in `/proc`. False: some may be missing. */
  appendProcesses(pids: number[]): boolean;
  hold(pid: number): HeldProcess;
  /** Reads `/proc/<pid>/stat` without holding the process. */
  look(pid: number): Sight;
  /** The pid of the process that the thread belongs to; null if it cannot be read. */
  processOfThread(tid: number): number | null;

  /** Writes `cgroup.kill` unless this process is in the cgroup. null, or the errno. */
  killCgroup(): Promise<string | null>;
  /** What `cgroup.events` says; false if it cannot be read. */
  isPopulated(): boolean;
  /** Appends the ids in a file of the cgroup and of those below it. False: some may be missing. */
  appendListed(file: 'cgroup.procs' | 'cgroup.threads', ids: number[]): boolean;
}

/** The first thread of a process that lives on may have ended: the state is Z then as well. */
export function hasEnded({ state, threads }: ProcessSight): boolean {
  return 'Xx'.includes(state) || (state === 'Z' && threads <= 1n);
}
