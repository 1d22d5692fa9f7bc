/**
 * The one interface of the two engines. An engine opens readers (of a cgroup, of a process) and episode
 * samplers (readers + fallback + clamps + the writer of one ring). Everything above speaks only this.
 */
import type { ReadFailure } from './failure.js';

export type EngineName = 'native' | 'js';

/** Parts of a reading, as bits: a reader is asked for a set and answers with the set it could read. */
export const PartBit = { CPU: 1, MEMORY: 2, IO: 4, EXTRA: 8, ALL: 15 } as const;

/** Index of a part in `failure()`. */
export const PartIndex = { CPU: 0, MEMORY: 1, IO: 2, EXTRA: 3 } as const;
export type PartIndexValue = (typeof PartIndex)[keyof typeof PartIndex];

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

/** In the order of `Tier` in `native/core/episode.h`. */
export const TIERS = ['auto', 'cgroup', 'leaf', 'proc'] as const;
export type Tier = (typeof TIERS)[number];

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

/** What one `sample` found, as bits. */
export const SampleOutcome = {
  /** A part's source is another than in the frame before. */
  SOURCE_CHANGED: 1,
  /** `takeWarnings` has something new. */
  WARNING: 2,
  /** The episode ended: its process is gone and nothing of it lives. */
  ENDED: 4,
} as const;

/** Beside the `FrameFlag` bits of `sample`: publish nothing when the episode has ended. */
export const SAMPLE_HOLD_IF_ENDED = 0x100;

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

/** The kernel files with a parser of their own. */
export const KERNEL_TEXTS = [
  'cpu.stat',
  'memory.current',
  'memory.stat',
  'memory.events',
  'io.stat',
  'pressure',
  'cgroup.events',
  'proc.stat',
  'proc.statm',
  'proc.io',
] as const;
export type KernelText = (typeof KERNEL_TEXTS)[number];

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
  /** The parser alone: the door of the differential test. */
  parse(kind: KernelText, text: Uint8Array): ParseOutcome;
}
