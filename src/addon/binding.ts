/** The complete interface of the addon, as `native/addon/` registers it. The addon trusts its arguments. */
import type { BudgetTrip, Exhaustion, WatchSettings } from '../budget/watch.js';
import type {
  ExhaustAction,
  LogCancel,
  LogFault,
  LogFile,
  ParseReason,
  PartIndexValue,
  ReadCode,
  Tier,
  TripMetric,
} from '../schema/enumerations.js';

/** Why a kernel file could not be read. Constructors throw it as the properties of an `Error`. */
export interface NativeFailure {
  readonly code: ReadCode;
  /** As the kernel returned it, or null if there is none. */
  readonly errno: number | null;
  /** Name of the kernel file inside the cgroup or inside `/proc/<pid>`. */
  readonly file: string;
  /** Pid of the process if the file is in `/proc`; null if it is in the cgroup. */
  readonly pid: number | null;
  /** Byte offset of the fault in the text, or null if the failure is not about text. */
  readonly offset: number | null;
  readonly reason: ParseReason | null;
}

/** Also thrown by constructors: `ring` or `budget` is not valid, or a thread does not start. */
export interface NativeRefusal {
  readonly code: 'ERR_RING_CORRUPT' | 'ERR_INVALID_CONFIG' | 'ERR_ENGINE_UNAVAILABLE';
  readonly errno: number | null;
}

export interface NativeWarning {
  readonly part: PartIndexValue;
  readonly failure: NativeFailure;
}

/** Once closed, every call does nothing. The descriptors are closed with the JavaScript object at the latest. */
export interface NativeReader {
  /** Hot. Fills `words`; returns the parts (`PartBit`) that are available. */
  read(parts: number): number;
  /** Why a part was not available at the last `read`. */
  failure(part: PartIndexValue): NativeFailure | null;
  close(): void;
}

export interface CgroupSpec {
  /** Absolute path of the directory that `path` is resolved beneath. */
  readonly root: string;
  /** Path of the cgroup relative to `root`, without a leading slash; `''` is the root itself. */
  readonly path: string;
  /** Whether to require a cgroup2 file system; false for fixtures and recorded trees. */
  readonly requireCgroupfs: boolean;
}

export interface ProcSpec {
  readonly pid: number;
  readonly procRoot: string;
  /** Whether to include the descendants, found by parentage. */
  readonly tree: boolean;
  /** Pid of the calling process if it is the tree's subreaper, else 0. What it reaps counts; its own usage does not. */
  readonly reaperPid: number;
}

/** Slot words (`FrameWord`) that `read` fills, valid until the next read. */
interface ReaderWords {
  readonly words: BigUint64Array;
}

export interface EpisodeOptions {
  readonly pid: number;
  readonly procRoot: string;
  readonly reaperPid: number;
  readonly tier: Tier;
  /** The cgroup of the episode, or null to use `/proc` alone. */
  readonly cgroup: CgroupSpec | null;
  /** Minimum time between two reads of `memory.stat`. */
  readonly memoryStatPeriodNs: bigint;
  /** A view: Node 20 refuses a SharedArrayBuffer as an argument. */
  readonly ring: Uint8Array;
}

/** A threshold on a published value: trips at or above `threshold`, is released below `release`. */
export interface TripwireSpec {
  readonly metric: TripMetric;
  readonly threshold: bigint;
  readonly release: bigint;
  /** `TripAction` bits. */
  readonly actions: number;
}

export interface BudgetOptions extends Pick<WatchSettings, 'baseline' | 'thresholds' | 'releases'> {
  /** A view of the counters of the budget. */
  readonly memory: Uint8Array;
  /** Whether to sample at `fastPeriodNs` while a threshold is tripped; the frames have the `highFrequency` flag. */
  readonly speedUp: boolean;
}

export interface DrivenEpisodeOptions extends EpisodeOptions {
  /** CLOCK_MONOTONIC: wall time counts from there, and so do the deadlines of a sampled episode. */
  readonly startNs: bigint;
  /** The action when a limit is reached, which ends the session. */
  readonly onExhausted: ExhaustAction;
  readonly budget: BudgetOptions | null;
}

export interface SampledEpisodeOptions extends DrivenEpisodeOptions {
  readonly periodNs: bigint;
  /** Period while a tripwire with `SPEED_UP` is tripped. */
  readonly fastPeriodNs: bigint;
  /** Report new frames in steps of this number; 0 reports only notable events. */
  readonly notifyEvery: number;
  readonly tripwires: readonly TripwireSpec[];
}

/** The news since the last call. */
export interface NativeNews {
  /** Whether there are at least `notifyEvery` new frames. */
  readonly frames: boolean;
  /** Frames whose sources differ from those of the frame before, oldest first: their `seq` and their word `META`. */
  readonly sources: readonly { readonly seq: number; readonly meta: number }[];
  readonly warnings: readonly NativeWarning[];
  /** Tripwires that tripped, by index, with the value that tripped them and the `seq` of its frame. */
  readonly trips: readonly {
    readonly index: number;
    readonly value: bigint;
    readonly seq: number;
  }[];
  /** Thresholds of the budget that tripped. */
  readonly budgetTrips: readonly BudgetTrip[];
  /** A limit was reached, and `onExhausted` is in progress. `resource` is an index of `EXHAUSTIBLE`. Reported once. */
  readonly exhausted: Exhaustion | null;
  readonly failedActions: readonly {
    readonly action: ExhaustAction;
    /** null if the episode has no cgroup. */
    readonly errno: number | null;
    /** The weaker action taken instead. */
    readonly next: ExhaustAction;
  }[];
  /** Answers to `requestFrame`: frames as they are in their slots. */
  readonly replies: readonly { readonly request: number; readonly words: BigUint64Array }[];
  /** null until the end; no more news follows it. */
  readonly exited: boolean | null;
}

/**
 * The owner's handle of an episode that it samples by hand, on its own thread: the state machine of a sampled episode
 * without its schedule, driven by these calls only. Once it is over, `sample` and `publish` return ENDED, and the other
 * calls do nothing.
 */
export interface NativeEpisode {
  /** Hot. Reads every part, publishes one frame and charges the budget. Returns `SampleOutcome` bits. */
  sample(flags: number): number;
  /** Hot. The same with the given slot words, including their sources and validity, instead of reading. */
  publish(words: BigUint64Array, flags: number): number;
  /** The next wakes enforce a limit that was reached, settle the counters, and take the terminal frame. */
  requestEnd(): void;
  /** Does what is due. Returns true once the terminal frame is in the ring. */
  wake(): boolean;
  takeNews(): NativeNews;
}

/**
 * The owner's handle of an episode that is being sampled. The episode runs until its end has been reported, even if
 * this object is garbage-collected; after that, calls do nothing. No method blocks or throws.
 */
export interface SampledEpisode {
  /** Takes one frame now, off schedule. News delivers it, or the terminal frame if the episode ends first. */
  requestFrame(request: number, flags: number): void;
  /** Settles the counters if the episode has ended, takes the terminal frame and ends. */
  requestEnd(): void;
  /** Takes effect within one wake of the sampler. */
  setTripwires(tripwires: readonly TripwireSpec[]): void;
  /** Takes effect within one wake of the sampler, counted from the last deadline. */
  setPeriod(periodNs: bigint, fastPeriodNs: bigint): void;
  /** Sets whether this thread waits for news, which keeps it alive. Default: false. */
  setWaiting(waiting: boolean): void;
}

export interface NativeRingReader {
  /** Hot. Returns the number of copied frames, or −1 if the ring is corrupt. */
  copyNext(out: Uint32Array, max: number): number;
  /** Hot. Returns 1, or 0 if there is no frame yet, or −1 if the ring is corrupt. */
  copyLatest(out: Uint32Array): number;
  missed(): number;
  available(): number;
  skipToLatest(): void;
  /**
   * Calls `onWake` once, after the next frame or the end; the event loop stays alive until then. Returns the argument
   * for `disarm`, or null if there are more frames already, in which case nothing is armed.
   */
  arm(seenHead: number, onWake: () => void): number | null;
  /** Does nothing after the wake. */
  disarm(wait: number): void;
}

export interface NativeLogFailure {
  readonly fault: LogFault;
  readonly file: LogFile;
  readonly errno: number | null;
}

export interface NativeEventLog {
  /**
   * Calls `onEnd` once, never before this has returned; the event loop stays alive until then. Returns the argument for
   * `cancel`.
   */
  append(
    text: string,
    rotateBytes: number,
    onEnd: (failure: NativeLogFailure | null) => void,
  ): number;
  /** Unless this returns `'too-late'`, `onEnd` is not called. */
  cancel(append: number): LogCancel;
}

/**
 * Each method calls `onDone` once, with null or the errno, never before it has returned; the event loop stays alive
 * until then.
 */
export interface NativeActuator {
  /** Writes `text` to a file of the cgroup, in one write. */
  write(
    directory: string,
    file: string,
    text: string,
    onDone: (errno: number | null) => void,
  ): void;
  removeDirectory(directory: string, onDone: (errno: number | null) => void): void;
}

export interface NativeChildExit {
  readonly code: number;
  /** 0 if it exited by itself. */
  readonly signal: number;
  readonly peakBytes: bigint | null;
  readonly dirtiedBytes: bigint | null;
}

export interface NativeChildWatch {
  /** Returns false if it is not a child of this process, or cannot be watched. */
  isWatching(): boolean;
  /**
   * Returns the exit, once. Returns null while the child lives, or if it was reaped before this process read the exit
   * and the kernel does not report it afterwards (before Linux 6.15).
   */
  takeExit(): NativeChildExit | null;
}

/** A claim is released at the latest when the thread that holds it ends. */
export interface EpisodeClaims {
  /** Returns false if the episode is already claimed, by this thread or another. */
  claimEpisode(id: string): boolean;
  /** Does nothing unless this thread claimed it. */
  releaseEpisode(id: string): void;
}

export type NativeOpened =
  | { readonly fd: number; readonly errno: null }
  | { readonly fd: null; readonly errno: number };

export interface NativeDirectories {
  openRoot(path: string): NativeOpened;
  openChild(dirfd: number, name: string): NativeOpened;
  /** Returns null on success, or the errno. */
  setOwnerMark(fd: number, mark: string): number | null;
  /** Returns null if there is no mark or it cannot be read. */
  getOwnerMark(fd: number): string | null;
  close(fd: number): void;
}

export interface NativeProcessControl {
  /** Returns null on success, or the errno. */
  setSubreaper(): number | null;
  /** Returns the number of processes that were reaped. */
  reapAdopted(exceptPid: number): number;
  hasChildren(): boolean;
  /** Returns the reading end of the pipe that the signals are written to. */
  watchSignals(signals: readonly number[]): NativeOpened;
}

export interface Addon {
  readonly CgroupReader: new (options: CgroupSpec & ReaderWords) => NativeReader;
  readonly ProcReader: new (options: ProcSpec & ReaderWords) => NativeReader;
  readonly Episode: new (options: DrivenEpisodeOptions) => NativeEpisode;
  /** `onNews` is called on the event loop, never before the constructor has returned. */
  readonly SampledEpisode: new (
    options: SampledEpisodeOptions,
    onNews: (news: NativeNews) => void,
  ) => SampledEpisode;
  readonly RingReader: new (ring: Uint8Array) => NativeRingReader;
  readonly EventLog: new (paths: {
    readonly path: string;
    readonly lockPath: string;
  }) => NativeEventLog;
  readonly Actuator: new () => NativeActuator;
  readonly ChildWatch: new (pid: number) => NativeChildWatch;
  readonly claims: EpisodeClaims;
  readonly directories: NativeDirectories;
  readonly processControl: NativeProcessControl;
}
