/**
 * The one interface of the two engines. An engine opens readers (of a cgroup, of a process) and episode
 * samplers (readers + fallback + clamps + the writer of one ring). Everything above speaks only this.
 */

import type { BudgetTrip, Exhaustion, WatchSettings } from '../budget/watch.js';
import type {
  ExhaustAction,
  KernelText,
  PartIndexValue,
  Tier,
  TripMetric,
} from '../schema/enumerations.js';
import type { ReadFailure } from './failure.js';

export type EngineName = 'native' | 'js';

export interface CgroupSpec {
  /** Absolute path of the directory that `path` is resolved beneath. */
  readonly root: string;
  /** Path of the cgroup relative to `root`, no leading slash; `''` is the root itself. */
  readonly path: string;
  /** Demand a cgroup2 file system (off for fixtures and recorded trees). */
  readonly requireCgroupfs: boolean;
}

export interface ProcSpec {
  readonly pid: number;
  readonly procRoot: string;
  /** Descendants too, by parentage. */
  readonly tree: boolean;
  /** Pid of the calling process when it is the subreaper of the tree: its reaped children count, it does not. 0: none. */
  readonly reaperPid: number;
}

/** A reader that an engine opened. `words` are slot words (`FrameWord`), filled by `read`, valid until the next one. */
export interface SourceReader {
  readonly words: BigUint64Array;
  /** Reads the asked parts now. Returns the parts (PartBit) that are available. */
  read(parts: number): number;
  /** Why a part was not available at the last `read`, or null. */
  failure(part: PartIndexValue): ReadFailure | null;
  close(): void;
}

export interface EpisodeSpec {
  readonly episodeId: string;
  readonly pid: number;
  readonly ring: SharedArrayBuffer;
  readonly tier: Tier;
  /** The episode's cgroup, or null to use `/proc` alone. */
  readonly cgroup: CgroupSpec | null;
  readonly procRoot: string;
  readonly reaperPid: number;
  /** Least time between two reads of `memory.stat`. */
  readonly memoryStatPeriodNs: bigint;
}

/** Which source failed, and why; told once per (file, code) until that file was read again. */
export interface SampleWarning {
  readonly part: PartIndexValue;
  readonly failure: ReadFailure;
}

/** One episode: its readers and the one writer of its ring. */
export interface EpisodeSampler {
  /**
   * Reads every part and publishes one frame with these `FrameFlag` bits; TERMINAL ends the ring. Returns
   * `SampleOutcome` bits.
   */
  sample(flags: number): number;
  /** Publishes the given slot words (sources and validity included) instead of reading, with the same clamps. */
  publish(words: BigUint64Array, flags: number): number;
  /** Reads the counters without publishing; true when they are what the last `settle` saw. */
  settle(): boolean;
  /** The process has exited and nothing of the episode lives. */
  ended(): boolean;
  takeWarnings(): SampleWarning[];
  close(): void;
}

/** A plain threshold on a published value: trips at `threshold` and above, is released below `release`. */
export interface TripwireSpec {
  readonly metric: TripMetric;
  readonly threshold: bigint;
  readonly release: bigint;
  readonly actions: number;
}

/** The budget that the sampler charges with every frame. */
export interface BudgetSpec extends Pick<WatchSettings, 'baseline' | 'thresholds' | 'releases'> {
  /** The shared memory of its counters. */
  readonly memory: SharedArrayBuffer;
  /** Sample at `fastPeriodNs` while a threshold is tripped; frames are flagged `highFrequency`. */
  readonly speedUp: boolean;
}

/** An episode that the sampler of the engine samples by itself, off the event loop. */
export interface SamplingSpec extends EpisodeSpec {
  readonly periodNs: bigint;
  /** While a tripwire with `SPEED_UP` is tripped. */
  readonly fastPeriodNs: bigint;
  readonly tripwires: readonly TripwireSpec[];
  readonly budget: BudgetSpec | null;
  /** What the sampler does when a limit is reached; the session ends with that. */
  readonly onExhausted: ExhaustAction;
  /** Tell of every so many frames; 0: only of what is remarkable. */
  readonly notifyEvery: number;
}

/** An action that failed. */
export interface FailedAction {
  readonly action: ExhaustAction;
  /** The symbolic errno; null: the episode has no cgroup. */
  readonly errno: string | null;
  /** The weaker one that is taken instead. */
  readonly next: ExhaustAction;
}

/** A frame as it is in its slot, and what asked for it. */
export interface FrameReply {
  readonly request: number;
  readonly words: BigUint64Array;
}

/** What a sampler has to tell the thread that started the episode, since it told last. */
export interface SamplerNews {
  /** There are new frames, as many as `notifyEvery` or more. */
  readonly frames: boolean;
  /** Frames whose sources were other than the frame's before, oldest first: `seq`, and their word `META`. */
  readonly sources: readonly { readonly seq: number; readonly meta: number }[];
  readonly warnings: readonly SampleWarning[];
  /** Tripwires (by index) that tripped, the value that did it, and the frame that has it. */
  readonly trips: readonly {
    readonly index: number;
    readonly value: bigint;
    readonly seq: number;
  }[];
  /** Thresholds of the budget that were reached. */
  readonly budgetTrips: readonly BudgetTrip[];
  /** A limit was reached, and `onExhausted` is under way. `resource` is an index of `EXHAUSTIBLE`. Told once. */
  readonly exhausted: Exhaustion | null;
  readonly failedActions: readonly FailedAction[];
  /** Answers to `requestFrame`. */
  readonly replies: readonly FrameReply[];
  /**
   * The terminal frame is in the ring, and nothing comes after this news. `exited`: the episode itself ended;
   * `failure`: the sampler died, and the terminal frame repeats the last values.
   */
  readonly ended: { readonly exited: boolean; readonly failure: string | null } | null;
}

/** The owner's end of an episode that is being sampled. Nothing here blocks or throws. */
export interface SampledEpisode {
  /** One frame now, beside the period. The answer is news; when the episode ends first, its terminal frame. */
  requestFrame(request: number, flags: number): void;
  /** Settle the counters if the episode has ended, take the terminal frame, end. Told as `ended`. */
  requestEnd(): void;
  /** Takes effect within one wake of the sampler. */
  setTripwires(tripwires: readonly TripwireSpec[]): void;
  /** Takes effect within one wake of the sampler, counted from the last deadline. */
  setPeriod(periodNs: bigint, fastPeriodNs: bigint): void;
  /** Whether this thread waits for news: it stays alive then. By default it does not. */
  setWaiting(waiting: boolean): void;
}

/** Parsed values in the parser's fixed order (see `engine/js/parse-*.ts`); null: a key that may be absent is. */
export type ParseOutcome =
  | { readonly ok: true; readonly values: readonly (bigint | null)[] }
  | { readonly ok: false; readonly offset: number; readonly reason: string };

/** The `open…` methods throw `TelemetryError`s made of a `ReadFailure` (`engine/failure-error.ts`). */
export interface Engine {
  readonly name: EngineName;
  openCgroup(spec: CgroupSpec): SourceReader;
  openProc(spec: ProcSpec): SourceReader;
  openEpisode(spec: EpisodeSpec): EpisodeSampler;
  /**
   * Opens an episode, takes its `initial` frame before it returns, and hands it to the engine's sampler. `onNews` is
   * called on the calling thread's event loop, never before this has returned. Neither keeps the process alive.
   */
  startEpisode(spec: SamplingSpec, onNews: (news: SamplerNews) => void): SampledEpisode;
  /** The parser alone: the door of the differential test. */
  parse(kind: KernelText, text: Uint8Array): ParseOutcome;
}
