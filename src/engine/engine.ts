/**
 * The interface of the two engines. An engine opens readers (of a cgroup or a process) and episode samplers (readers,
 * fallback, clamps, and the writer of one ring). The layers above use only this interface.
 */
import type { BudgetTrip, Exhaustion, WatchSettings } from '../budget/watch.js';
import type {
  ExhaustAction,
  ParseReason,
  PartIndexValue,
  ReadCode,
  Tier,
  TripMetric,
} from '../schema/enumerations.js';

export type EngineName = 'native' | 'js';

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

/** A reader of an engine. `words` are slot words (`FrameWord`) that `read` fills, valid until the next read. */
export interface SourceReader {
  readonly words: BigUint64Array;
  /** Reads the requested parts (PartBit). Returns the parts that are available. */
  read(parts: number): number;
  /** Returns why the part was unavailable at the last `read`, or null. */
  failure(part: PartIndexValue): ReadFailure | null;
  close(): void;
}

export interface EpisodeSpec {
  readonly episodeId: string;
  readonly pid: number;
  readonly ring: SharedArrayBuffer;
  readonly tier: Tier;
  /** The cgroup of the episode, or null to use `/proc` alone. */
  readonly cgroup: CgroupSpec | null;
  readonly procRoot: string;
  readonly reaperPid: number;
  /** Minimum time between two reads of `memory.stat`. */
  readonly memoryStatPeriodNs: bigint;
}

/** A source that failed, and why. Reported once per (file, code) until the file has been read successfully again. */
export interface SampleWarning {
  readonly part: PartIndexValue;
  readonly failure: ReadFailure;
}

/** One episode: its readers and the writer of its ring. */
export interface EpisodeSampler {
  /**
   * Reads every part and publishes one frame with these `FrameFlag` bits. TERMINAL ends the ring. Returns
   * `SampleOutcome` bits.
   */
  sample(flags: number): number;
  /** Publishes the given slot words, with their sources and validity, instead of reading. Applies the same clamps. */
  publish(words: BigUint64Array, flags: number): number;
  /** Reads the counters without publishing. Returns true if they equal those of the last `settle`. */
  settle(): boolean;
  /** Whether the root and all other members of the episode have exited. */
  ended(): boolean;
  takeWarnings(): SampleWarning[];
  close(): void;
}

/** A threshold on a published value: trips at or above `threshold`, is released below `release`. */
export interface TripwireSpec {
  readonly metric: TripMetric;
  readonly threshold: bigint;
  readonly release: bigint;
  readonly actions: number;
}

/** The budget that the sampler charges with every frame. */
export interface BudgetSpec extends Pick<WatchSettings, 'baseline' | 'thresholds' | 'releases'> {
  /** Shared memory with the counters of the budget. */
  readonly memory: SharedArrayBuffer;
  /** Sample at `fastPeriodNs` while a threshold is tripped; the frames have the `highFrequency` flag. */
  readonly speedUp: boolean;
}

/** An episode that the engine samples by itself, off the event loop. */
export interface SamplingSpec extends EpisodeSpec {
  readonly periodNs: bigint;
  /** Period while a tripwire with `SPEED_UP` is tripped. */
  readonly fastPeriodNs: bigint;
  readonly tripwires: readonly TripwireSpec[];
  readonly budget: BudgetSpec | null;
  /** The action of the sampler when a limit is reached, which ends the session. */
  readonly onExhausted: ExhaustAction;
  /** Report new frames in steps of this number; 0 reports only notable events. */
  readonly notifyEvery: number;
}

/** An action that failed. */
export interface FailedAction {
  readonly action: ExhaustAction;
  /** The symbolic errno, or null if the episode has no cgroup. */
  readonly errno: string | null;
  /** The weaker action taken instead. */
  readonly next: ExhaustAction;
}

/** A frame as it is in its slot, and the request that it answers. */
export interface FrameReply {
  readonly request: number;
  readonly words: BigUint64Array;
}

/** What a sampler reports to the thread that started the episode, since its last report. */
export interface SamplerNews {
  /** There are at least `notifyEvery` new frames. */
  readonly frames: boolean;
  /** Frames whose sources differ from those of the frame before, oldest first: their `seq` and their word `META`. */
  readonly sources: readonly { readonly seq: number; readonly meta: number }[];
  readonly warnings: readonly SampleWarning[];
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
  readonly failedActions: readonly FailedAction[];
  /** Answers to `requestFrame`. */
  readonly replies: readonly FrameReply[];
  /**
   * Set once the terminal frame is in the ring; no more news follows. `exited`: the episode itself ended. `failure`:
   * why the sampler died, in which case the terminal frame repeats the last values.
   */
  readonly ended: { readonly exited: boolean; readonly failure: string | null } | null;
}

/** The owner's handle of an episode that is being sampled. No method blocks or throws. */
export interface SampledEpisode {
  /** Takes one frame now, off schedule. News delivers it, or the terminal frame if the episode ends first. */
  requestFrame(request: number, flags: number): void;
  /** Settles the counters if the episode has ended, takes the terminal frame and ends. Reported as `ended`. */
  requestEnd(): void;
  /** Takes effect within one wake of the sampler. */
  setTripwires(tripwires: readonly TripwireSpec[]): void;
  /** Takes effect within one wake of the sampler, counted from the last deadline. */
  setPeriod(periodNs: bigint, fastPeriodNs: bigint): void;
  /** Sets whether this thread waits for news, which keeps it alive. Default: false. */
  setWaiting(waiting: boolean): void;
}

/** The `open…` methods throw a `ReadFailure` as `TelemetryError` (`engine/failure-error.ts`). */
export interface Engine {
  readonly name: EngineName;
  openCgroup(spec: CgroupSpec): SourceReader;
  openProc(spec: ProcSpec): SourceReader;
  openEpisode(spec: EpisodeSpec): EpisodeSampler;
  /**
   * Opens an episode, takes its `initial` frame, and passes it to the sampler of the engine. `onNews` is called on the
   * event loop of the calling thread, never before this method has returned. Neither keeps the process alive.
   */
  startEpisode(spec: SamplingSpec, onNews: (news: SamplerNews) => void): SampledEpisode;
}

/** Why a part of a reading is unavailable, as both engines report it. */
export interface ReadFailure {
  readonly code: ReadCode;
  /** The symbolic errno (`EACCES`), or null if there is none. */
  readonly errno: string | null;
  /** Name of the kernel file inside the cgroup or inside `/proc/<pid>`. */
  readonly file: string;
  /** Pid of the process if the file is in `/proc`; null if it is in the cgroup. */
  readonly pid: number | null;
  /** Byte offset of the fault in the text, or null if the failure is not about text. */
  readonly offset: number | null;
  readonly reason: ParseReason | null;
}
