/**
 * The interface of the two engines. An engine opens readers (of a cgroup or a process) and episode samplers (readers,
 * fallback, clamps, and the writer of one ring). The layers above use only this interface.
 */
import type {
  BudgetOptions,
  CgroupSpec,
  DrivenEpisodeOptions,
  EpisodeOptions,
  NativeEpisode,
  NativeFailure,
  NativeNews,
  NativeReader,
  ProcSpec,
  SampledEpisode,
  SampledEpisodeOptions,
} from '../addon/binding.js';
import type { ExhaustAction, PartIndexValue } from '../schema/enumerations.js';

export type { CgroupSpec, ProcSpec, SampledEpisode, TripwireSpec } from '../addon/binding.js';

export type EngineName = 'native' | 'js';

/** Why a part of a reading is unavailable, as both engines report it. */
export interface ReadFailure extends Omit<NativeFailure, 'errno'> {
  /** The symbolic errno (`EACCES`), or null if there is none. */
  readonly errno: string | null;
}

/** A reader of an engine. */
export interface SourceReader extends Omit<NativeReader, 'failure'> {
  /** Slot words (`FrameWord`) that `read` fills, valid until the next read. */
  readonly words: BigUint64Array;
  /** Returns why the part was unavailable at the last `read`, or null. */
  failure(part: PartIndexValue): ReadFailure | null;
}

export interface EpisodeSpec extends Omit<EpisodeOptions, 'ring'> {
  readonly episodeId: string;
  readonly ring: SharedArrayBuffer;
}

/** A source that failed, and why. Reported once per (file, code) until the file has been read successfully again. */
export interface SampleWarning {
  readonly part: PartIndexValue;
  readonly failure: ReadFailure;
}

/** The budget that the sampler charges with every frame. */
export interface BudgetSpec extends Omit<BudgetOptions, 'memory'> {
  /** Shared memory with the counters of the budget. */
  readonly memory: SharedArrayBuffer;
}

/** What `openEpisode` opens. */
export interface ManualSpec
  extends EpisodeSpec,
    Omit<DrivenEpisodeOptions, keyof EpisodeOptions | 'startNs' | 'budget'> {
  readonly budget: BudgetSpec | null;
}

/** An episode that the engine samples by itself, off the event loop. */
export interface SamplingSpec
  extends ManualSpec,
    Omit<SampledEpisodeOptions, keyof DrivenEpisodeOptions> {}

/** An action that failed. */
export interface FailedAction {
  readonly action: ExhaustAction;
  /** The symbolic errno, or null if the episode has no cgroup. */
  readonly errno: string | null;
  /** The weaker action taken instead. */
  readonly next: ExhaustAction;
}

/** What a sampler reports to the thread that started the episode, since its last report. */
export interface SamplerNews extends Omit<NativeNews, 'warnings' | 'failedActions' | 'exited'> {
  readonly warnings: readonly SampleWarning[];
  readonly failedActions: readonly FailedAction[];
  /**
   * Set once the terminal frame is in the ring; no more news follows. `exited`: the episode itself ended. `failure`:
   * why the sampler died, in which case the terminal frame repeats the last values.
   */
  readonly ended: { readonly exited: boolean; readonly failure: string | null } | null;
}

/** An episode that its owner samples by hand. */
export interface ManualEpisode extends Omit<NativeEpisode, 'takeNews'> {
  /** Returns the news since the last call. */
  takeNews(): SamplerNews;
}

/** The `open…` methods throw a `ReadFailure` as `TelemetryError` (`engine/failure-error.ts`). */
export interface Engine {
  readonly name: EngineName;
  openCgroup(spec: CgroupSpec): SourceReader;
  openProc(spec: ProcSpec): SourceReader;
  openEpisode(spec: ManualSpec): ManualEpisode;
  /**
   * Opens an episode, takes its `initial` frame, and passes it to the sampler of the engine. `onNews` is called on the
   * event loop of the calling thread, never before this method has returned. Neither keeps the process alive.
   */
  startEpisode(spec: SamplingSpec, onNews: (news: SamplerNews) => void): SampledEpisode;
}
