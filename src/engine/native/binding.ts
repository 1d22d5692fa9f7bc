/** The types of the addon's readers, hand-sampled episodes and parsers, and nothing else: the one door to them. */

import { loadAddon } from '../../addon/load.js';
import { errnoName } from '../../error/errno-name.js';
import { TelemetryError } from '../../error/index.js';
import {
  PARSE_REASONS,
  type ParseReason,
  type PartIndexValue,
  READ_CODES,
  type ReadCode,
  TIERS,
} from '../../schema/enumerations.js';
import type { EpisodeSpec, SampleWarning } from '../engine.js';
import type { ReadFailure } from '../failure.js';
import { cgroupDirectory, type FailurePlace, failureToError } from '../failure-error.js';

/** An opened native object; freed with its JavaScript value, its descriptors at the latest then. */
export type NativeHandle = object & { readonly __native: unique symbol };

/** A `ReadFailure` in numbers: indices of `READ_CODES` and `PARSE_REASONS`, a raw errno. */
export interface NativeFailure {
  readonly code: number;
  readonly reason: number;
  readonly errno: number;
  readonly file: string;
  readonly pid: number;
  readonly offset: number;
}

export interface NativeWarning {
  readonly part: number;
  readonly failure: NativeFailure;
}

/** What `open_episode` in `native/addon/episode_binding.cc` takes. */
export type EpisodeArguments = [
  pid: number,
  procRoot: string,
  reaperPid: number,
  tier: number,
  cgroupRoot: string | null,
  cgroupPath: string,
  requireCgroupfs: boolean,
  memoryStatPeriodNs: bigint,
  ring: Uint8Array,
];

type Opened = NativeHandle | NativeFailure;

export interface NativeBinding {
  openCgroup(root: string, path: string, requireCgroupfs: boolean, words: BigUint64Array): Opened;
  readCgroup(reader: NativeHandle, parts: number): number;
  cgroupFailure(reader: NativeHandle, part: number): NativeFailure | null;
  closeCgroup(reader: NativeHandle): void;

  openProc(
    pid: number,
    procRoot: string,
    tree: boolean,
    reaperPid: number,
    words: BigUint64Array,
  ): Opened;
  readProc(reader: NativeHandle, parts: number): number;
  procFailure(reader: NativeHandle, part: number): NativeFailure | null;
  closeProc(reader: NativeHandle): void;

  /** null: the ring's header is not one of ours. */
  openEpisode(...args: EpisodeArguments): Opened | null;
  sampleEpisode(episode: NativeHandle, flags: number): number;
  publishEpisode(episode: NativeHandle, words: BigUint64Array, flags: number): number;
  settleEpisode(episode: NativeHandle): boolean;
  episodeEnded(episode: NativeHandle): boolean;
  episodeWarnings(episode: NativeHandle): NativeWarning[];
  closeEpisode(episode: NativeHandle): void;

  /** `kind` is an index of `KERNEL_TEXTS`. */
  parse(
    kind: number,
    text: Uint8Array,
  ): { values: (bigint | null)[] } | { offset: number; reason: number };
}

export type BindingLoad =
  | { readonly binding: NativeBinding; readonly reason: null }
  | { readonly binding: null; readonly reason: string };

export function loadBinding(): BindingLoad {
  const { addon, reason } = loadAddon();
  // The addon is built from the same package: its exports are what bindings.h registers.
  return addon === null ? { binding: null, reason } : { binding: addon as NativeBinding, reason };
}

export function episodeArguments(spec: EpisodeSpec): EpisodeArguments {
  return [
    spec.pid,
    spec.procRoot,
    spec.reaperPid,
    TIERS.indexOf(spec.tier),
    spec.cgroup?.root ?? null,
    spec.cgroup?.path ?? '',
    spec.cgroup?.requireCgroupfs ?? true,
    spec.memoryStatPeriodNs,
    new Uint8Array(spec.ring),
  ];
}

export function openedEpisode(opened: Opened | null, spec: EpisodeSpec): NativeHandle {
  if (opened === null) {
    throw new TelemetryError('ERR_RING_CORRUPT', 'the shared memory is not an episcope ring');
  }
  const cgroupPath = spec.cgroup === null ? '' : cgroupDirectory(spec.cgroup);
  return orThrow(opened, { cgroupPath, procRoot: spec.procRoot });
}

export function orThrow(opened: Opened, place: FailurePlace): NativeHandle {
  if ('code' in opened) throw failureToError(readFailure(opened), place);
  return opened;
}

export function sampleWarning({ part, failure }: NativeWarning): SampleWarning {
  return { part: part as PartIndexValue, failure: readFailure(failure) };
}

export function readFailure(native: NativeFailure): ReadFailure {
  const code = READ_CODES[native.code] as ReadCode;
  const parsed = code === 'ERR_CGROUP_PARSE' || code === 'ERR_PROC_PARSE';
  return {
    code,
    errno: native.errno === 0 ? null : errnoName(native.errno),
    file: native.file,
    pid: native.pid === 0 ? null : native.pid,
    offset: parsed ? native.offset : null,
    reason: native.reason === 0 ? null : (PARSE_REASONS[native.reason] as ParseReason),
  };
}
