/** The interface of the addon, all of it: what `native/addon/` registers. Arguments are trusted there. */
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

/** Why something of the kernel could not be read. Constructors throw it, as the properties of an `Error`. */
export interface NativeFailure {
  readonly code: ReadCode;
  /** As the kernel gave it, or null if there is none. */
  readonly errno: number | null;
  /** Name of the kernel file inside the cgroup or inside `/proc/<pid>`. */
  readonly file: string;
  /** Pid of the process if the file is in `/proc`; null if it is in the cgroup. */
  readonly pid: number | null;
  /** Byte offset of the fault in the text, or null if the failure is not about text. */
  readonly offset: number | null;
  readonly reason: ParseReason | null;
}

/** What else a constructor throws: a foreign ring, a foreign budget, a thread that does not start. */
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
  /** Require a cgroup2 file system; false for fixtures and recorded trees. */
  readonly requireCgroupfs: boolean;
}

export interface ProcSpec {
  readonly pid: number;
  readonly procRoot: string;
  /** Include the descendants, found by parentage. */
  readonly tree: boolean;
  /** Pid of the calling process if it is the subreaper of the tree, else 0. Its reaped children count, it does not. */
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
  /** Sample at `fastPeriodNs` while a threshold is tripped; the frames have the `highFrequency` flag. */
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

/** What there is to tell since the last call. */
export interface NativeNews {
  /** There are at least `notifyEvery` new frames. */
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
    /** null: the episode has no cgroup. */
    readonly errno: number | null;
    /** The weaker action taken instead. */
    readonly next: ExhaustAction;
  }[];
  /** Answers to `requestFrame`: frames as they are in their slots. */
  readonly replies: readonly { readonly request: number; readonly words: BigUint64Array }[];
  /** null until the end; nothing is told after it. */
  readonly exited: boolean | null;
}

/**
 * The owner's end of an episode that it samples by hand, on its own thread: the state machine of a sampled episode
 * without its schedule. Nothing happens but by these calls. Once it is over, `sample` and `publish` return ENDED and the
 * other calls do nothing.
 */
export interface NativeEpisode {
  /** Hot. Reads every part, publishes one frame and charges the budget. Returns `SampleOutcome` bits. */
  sample(flags: number): number;
  /** Hot. The same of the given slot words, with their sources and validity, instead of reading. */
  publish(words: BigUint64Array, flags: number): number;
  /** The next wakes enforce a limit that was reached, settle the counters, and take the terminal frame. */
  requestEnd(): void;
  /** Does what is due. True once the terminal frame is in the ring. */
  wake(): boolean;
  takeNews(): NativeNews;
}

/**
 * The owner's handle of an episode that is being sampled. It runs until its end was reported, whether this object is
 * kept or not; after that every call does nothing. No method blocks or throws.
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
  /** Hot. How many were copied; −1: the ring is corrupt. */
  copyNext(out: Uint32Array, max: number): number;
  /** Hot. 1; 0: there is none yet; −1: the ring is corrupt. */
  copyLatest(out: Uint32Array): number;
  missed(): number;
  available(): number;
  skipToLatest(): void;
  /**
   * Has `onWake` called once, after the next frame or the end; the event loop stays alive until then. Returns what
   * `disarm` takes. null, and nothing is armed: there is more already.
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
  /** `onEnd` is called once, never before this has returned; the event loop stays alive until then. Returns what `cancel` takes. */
  append(
    text: string,
    rotateBytes: number,
    onEnd: (failure: NativeLogFailure | null) => void,
  ): number;
  /** Unless it is `'too-late'`, `onEnd` is not called. */
  cancel(append: number): LogCancel;
}

/** `onDone` is called once, with null or the errno, never before the method has returned; the event loop stays alive until then. */
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
  /** 0: it exited by itself. */
  readonly signal: number;
  readonly peakBytes: bigint | null;
  readonly dirtiedBytes: bigint | null;
}

export interface NativeChildWatch {
  /** False: no child of this process, or none that can be watched. */
  isWatching(): boolean;
  /**
   * Once. null while it lives, and where nobody asked before it was reaped and the kernel does not report it afterwards
   * (before Linux 6.15).
   */
  takeExit(): NativeChildExit | null;
}

/** Claims are given up at the end of the thread that holds them. */
export interface EpisodeClaims {
  /** False where the episode is claimed already, by this thread or another. */
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
  /** null, or the errno. */
  setOwnerMark(fd: number, mark: string): number | null;
  /** null where there is none, or it cannot be read. */
  getOwnerMark(fd: number): string | null;
  close(fd: number): void;
}

export interface NativeProcessControl {
  /** null, or the errno. */
  setSubreaper(): number | null;
  /** How many were reaped. */
  reapAdopted(exceptPid: number): number;
  hasChildren(): boolean;
  /** The reading end of the pipe that the signals are written to. */
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
