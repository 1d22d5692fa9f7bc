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
  /** As the kernel gave it; null: it gave none. */
  readonly errno: number | null;
  readonly file: string;
  readonly pid: number | null;
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

export interface CgroupOptions {
  readonly root: string;
  readonly path: string;
  readonly requireCgroupfs: boolean;
}

export interface CgroupReaderOptions extends CgroupOptions {
  readonly words: BigUint64Array;
}

export interface ProcReaderOptions {
  readonly pid: number;
  readonly procRoot: string;
  readonly tree: boolean;
  readonly reaperPid: number;
  readonly words: BigUint64Array;
}

export interface EpisodeOptions {
  readonly pid: number;
  readonly procRoot: string;
  readonly reaperPid: number;
  readonly tier: Tier;
  readonly cgroup: CgroupOptions | null;
  readonly memoryStatPeriodNs: bigint;
  /** A view: Node 20 refuses a SharedArrayBuffer as an argument. */
  readonly ring: Uint8Array;
}

/** Once closed, every call does nothing. */
export interface NativeEpisode {
  /** Hot. Returns `SampleOutcome` bits. */
  sample(flags: number): number;
  /** Hot. Returns `SampleOutcome` bits. */
  publish(words: BigUint64Array, flags: number): number;
  settle(): boolean;
  ended(): boolean;
  takeWarnings(): readonly NativeWarning[];
  close(): void;
}

export interface TripwireOptions {
  readonly metric: TripMetric;
  /** `TripAction` bits. */
  readonly actions: number;
  readonly threshold: bigint;
  readonly release: bigint;
}

export interface BudgetOptions extends Pick<WatchSettings, 'baseline' | 'thresholds' | 'releases'> {
  readonly memory: Uint8Array;
  readonly speedUp: boolean;
}

export interface SampledEpisodeOptions extends EpisodeOptions {
  readonly periodNs: bigint;
  readonly fastPeriodNs: bigint;
  readonly notifyEvery: number;
  readonly tripwires: readonly TripwireOptions[];
  /** CLOCK_MONOTONIC: deadlines and wall time count from there. */
  readonly startNs: bigint;
  readonly onExhausted: ExhaustAction;
  readonly budget: BudgetOptions | null;
}

/** What there is to tell since the last call. */
export interface NativeNews {
  readonly frames: boolean;
  readonly sources: readonly { readonly seq: number; readonly meta: number }[];
  readonly warnings: readonly NativeWarning[];
  readonly trips: readonly {
    readonly index: number;
    readonly value: bigint;
    readonly seq: number;
  }[];
  readonly budgetTrips: readonly BudgetTrip[];
  readonly exhausted: Exhaustion | null;
  readonly failedActions: readonly {
    readonly action: ExhaustAction;
    /** null: the episode has no cgroup. */
    readonly errno: number | null;
    readonly next: ExhaustAction;
  }[];
  readonly replies: readonly { readonly request: number; readonly words: BigUint64Array }[];
  /** null until the end; nothing is told after it. */
  readonly exited: boolean | null;
}

/** It runs until its end was told, whether this object is kept or not. After that every call does nothing. */
export interface NativeSampledEpisode {
  requestFrame(request: number, flags: number): void;
  requestEnd(): void;
  setTripwires(tripwires: readonly TripwireOptions[]): void;
  setPeriod(periodNs: bigint, fastPeriodNs: bigint): void;
  /** Whether the event loop stays alive for news. */
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
  readonly CgroupReader: new (options: CgroupReaderOptions) => NativeReader;
  readonly ProcReader: new (options: ProcReaderOptions) => NativeReader;
  readonly Episode: new (options: EpisodeOptions) => NativeEpisode;
  /** `onNews` is called on the event loop, never before the constructor has returned. */
  readonly SampledEpisode: new (
    options: SampledEpisodeOptions,
    onNews: (news: NativeNews) => void,
  ) => NativeSampledEpisode;
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
