/** The interface of the addon, all of it: what `native/addon/` registers. Arguments are trusted there. */
import type { BudgetTrip, Exhaustion, WatchSettings } from '../budget/watch.js';
import type {
  ExhaustAction,
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

/** Freed with its JavaScript value. */
export type NativeRingReader = object & { readonly __ringReader: unique symbol };
export type NativeLog = object & { readonly __log: unique symbol };

/** What `native/addon/env_events.cc` registers. */
interface EventsBinding {
  /** The id whose news `listener` is called for. It must not throw. */
  addListener(listener: () => void): number;
  removeListener(id: number): void;
  /** The event loop stays alive for news until each `holdLoop` has its `releaseLoop`. */
  holdLoop(): void;
  releaseLoop(): void;
}

/** What `native/addon/actuator_binding.cc` registers. */
interface ActuatorBinding {
  /**
   * Writes `text` to the cgroup's file, or removes the directory where `file` is `''`. 0, or the errno that kept the
   * thread from starting; the result is told as news of `id`.
   */
  startAction(directory: string, file: string, text: string, id: number): number;
  /** 0 or an errno, once, of an action that was told. */
  takeActionResult(id: number): number;
}

/** What `native/addon/claims_binding.cc` registers. Claims are given up at the end of the thread that holds them. */
interface EpisodeClaims {
  /** False where the episode is claimed already, by this thread or another. */
  claimEpisode(id: string): boolean;
  /** Gives up a claim of this thread; nothing where it has none. */
  releaseEpisode(id: string): void;
}

/** What `native/addon/child_binding.cc` registers. */
interface ChildBinding {
  /** null: no child of this process, or none that can be watched. */
  watchChild(pid: number): object | null;
  /**
   * Once. null while it lives, and where nobody asked before it was reaped and the kernel does not tell it afterwards
   * (before Linux 6.15).
   */
  takeChildExit(watched: object): {
    readonly code: number;
    readonly signal: number;
    readonly peakBytes: bigint | null;
    readonly dirtiedBytes: bigint | null;
  } | null;
}

/** What `native/addon/directory_binding.cc` registers. Errnos of marks are positive, 0 is success. */
interface DirectoryBinding {
  openRoot(path: string): number;
  openChild(dirfd: number, name: string): number;
  setOwnerMark(fd: number, mark: string): number;
  getOwnerMark(fd: number): string | number;
  closeDirectory(fd: number): void;
}

/** What `native/addon/process.cc` registers. Errnos are positive numbers, 0 is success. */
interface ProcessBinding {
  setSubreaper(): number;
  reapAdopted(exceptPid: number): number;
  hasChildren(): boolean;
  /** A descriptor, or a negative errno. */
  watchSignals(signals: readonly number[]): number;
}

/** What `native/addon/log_binding.cc` registers, and `takeActionResult` of the actuator's part. */
interface LogBinding {
  openLog(path: string, lockPath: string): NativeLog;
  /** 0, or the errno that kept the thread from starting; the end is told as news of `id`. */
  appendToLog(log: NativeLog, text: string, rotateBytes: number, id: number): number;
  /** An index of `CANCELS`. */
  cancelAppend(log: NativeLog, id: number): number;
}

/** What `native/addon/ring_reader_binding.cc` registers. */
interface RingReaderBinding {
  /** null: no ring of this layout. */
  openRingReader(ring: Uint8Array): NativeRingReader | null;
  /** How many were copied; −1: the ring is corrupt. */
  ringReaderCopyNext(reader: NativeRingReader, out: Uint32Array, max: number): number;
  /** 1; 0: there is none yet; −1: the ring is corrupt. */
  ringReaderCopyLatest(reader: NativeRingReader, out: Uint32Array): number;
  ringReaderMissed(reader: NativeRingReader): number;
  ringReaderAvailable(reader: NativeRingReader): number;
  ringReaderSkipToLatest(reader: NativeRingReader): void;
  /** False, and nothing is armed: there is more already. Else `id` is told once, after the next frame or the end. */
  armRingWait(reader: NativeRingReader, id: number, seenHead: number): boolean;
  disarmRingWait(reader: NativeRingReader, id: number): void;
}

export interface Addon
  extends EventsBinding,
    ActuatorBinding,
    EpisodeClaims,
    ChildBinding,
    DirectoryBinding,
    ProcessBinding,
    LogBinding,
    RingReaderBinding {
  readonly CgroupReader: new (options: CgroupReaderOptions) => NativeReader;
  readonly ProcReader: new (options: ProcReaderOptions) => NativeReader;
  readonly Episode: new (options: EpisodeOptions) => NativeEpisode;
  /** `onNews` is called on the event loop, never before the constructor has returned. */
  readonly SampledEpisode: new (
    options: SampledEpisodeOptions,
    onNews: (news: NativeNews) => void,
  ) => NativeSampledEpisode;

  parse(
    kind: number,
    text: Uint8Array,
  ): { values: (bigint | null)[] } | { offset: number; reason: number };
}
