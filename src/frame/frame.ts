import { assertEpisodeId } from '../episode/id.js';
import { type FrameFigures, FrameValues } from '../schema/frame-values.js';
import { saturatingAdd } from './bounds.js';
import { TelemetryFrameBuilder } from './builder.js';
import { type ExactValues, inMode } from './exact.js';
import type { FrameFields, FrameHead } from './fields.js';
import { frameFieldsFromJson } from './from-json.js';
import type { MetricSource, MetricSources } from './metric-source.js';
import { type FrameJson, frameToJson, frameToNdjson } from './ndjson.js';
import type { O11yFlags } from './o11y-flags.js';
import type { FrameQualities } from './quality.js';

/**
 * What an episode had consumed at one moment. Immutable. Values are `number` (nearest double, exact below 2^53) or
 * `bigint`, as the reader was asked; an absent metric is null and `sources` says why.
 */
export class TelemetryFrame<N extends number | bigint = number>
  extends FrameValues<N>
  implements FrameFields<N>
{
  readonly episodeId: string;
  readonly seq: N;
  readonly tsMono: N;
  /** The source of the cpu figure; `sources` has all three. */
  readonly source: MetricSource;
  readonly o11yFlags: O11yFlags;
  readonly sources: MetricSources;
  readonly quality: FrameQualities;
  readonly #exact: ExactValues | null;

  /** @internal Frames come from a reader, the builder or `fromJSON`; the values are taken as they are, and frozen. */
  constructor(head: FrameHead<N>, figures: FrameFigures<N>, exact: ExactValues | null = null) {
    super(figures);
    this.episodeId = head.episodeId;
    this.seq = head.seq;
    this.tsMono = head.tsMono;
    this.source = head.sources.cpu;
    this.o11yFlags = head.o11yFlags;
    this.sources = Object.freeze(head.sources);
    this.quality = Object.freeze(head.quality);
    this.#exact = exact;
    Object.freeze(this);
  }

  /**
   * A frame made by hand. The type of `seq` is the mode of the frame: `builder('job', 0n)` builds a
   * `TelemetryFrame<bigint>`. Throws `ERR_INVALID_EPISODE_ID` and, for a `seq` that is no whole number ≥ 0,
   * `ERR_OUT_OF_RANGE`.
   */
  static builder(episodeId: string, seq: number): TelemetryFrameBuilder<number>;
  static builder(episodeId: string, seq: bigint): TelemetryFrameBuilder<bigint>;
  static builder(episodeId: string, seq: number | bigint): TelemetryFrameBuilder<number | bigint> {
    assertEpisodeId(episodeId);
    const bigint = typeof seq === 'bigint';
    return new TelemetryFrameBuilder(episodeId, seq, (fields) => fromExact(fields, bigint));
  }

  /**
   * The frame of a parsed JSON object: the twelve fields of `toJSON()`, and those that `toNDJSON()` adds
   * where they are given.
   *
   * The twelve-field form has 0 for what is absent and one source. So the fields of a part whose source is
   * `unavailable` decode to null; where `sources` is not given, memory and io are taken to come from `source`
   * (from `proc`, the weaker claim, when that is `unavailable` and they are not zero); and a total of 0 below
   * its own parts (`cpu_ns` below user + system, `mem_peak_bytes` below rss) is an absent one. Doubles beyond 2^53
   * are rounded each for itself: a usage that is below user + system by no more than that is raised to it.
   *
   * Throws `ERR_INVALID_CONFIG` (a field missing, unknown or of another type), `ERR_INVALID_EPISODE_ID`,
   * `ERR_OUT_OF_RANGE` (negative, a fraction, above 2^63 − 1), `ERR_INVARIANT` (the values contradict each other).
   */
  static fromJSON(value: unknown, options?: { readonly bigint?: false }): TelemetryFrame;
  static fromJSON(value: unknown, options: { readonly bigint: true }): TelemetryFrame<bigint>;
  static fromJSON(
    value: unknown,
    options?: { readonly bigint?: boolean },
  ): TelemetryFrame<number | bigint>;
  static fromJSON(
    value: unknown,
    options: { readonly bigint?: boolean } = {},
  ): TelemetryFrame<number | bigint> {
    return fromExact(frameFieldsFromJson(value), options.bigint ?? false);
  }

  /** cpu time in ms: with its fraction as a number, whole ms as a bigint (the convention of `fs.stat`). */
  get cpuMs(): N | null {
    return this.cpuNs === null ? null : nsToMs(this.cpuNs);
  }

  /** Bytes read and written; null when neither is known. */
  get ioTotalBytes(): N | null {
    if (this.ioReadBytes === null) return this.ioWriteBytes;
    if (this.ioWriteBytes === null) return this.ioReadBytes;
    return saturatingAdd(this.ioReadBytes, this.ioWriteBytes);
  }

  /** Whether the cpu figure is the cgroup's. */
  get isFromCgroup(): boolean {
    return this.source === 'cgroup';
  }

  /** Whether the frame is flagged as degraded or any part of it comes from `/proc`. */
  get isDegraded(): boolean {
    const { cpu, memory, io } = this.sources;
    return this.o11yFlags.degraded || cpu === 'proc' || memory === 'proc' || io === 'proc';
  }

  /** The twelve-field wire form. Numbers, also of a frame of bigints; 0 for what is absent. */
  toJSON(): FrameJson {
    return frameToJson(this);
  }

  /** Every field as one line of JSON, without the newline: the twelve first, with exact integer digits. */
  toNDJSON(): string {
    return frameToNdjson(this, this.#exact);
  }
}

function fromExact(fields: FrameFields<bigint>, bigint: boolean): TelemetryFrame<number | bigint> {
  const moded = inMode(fields, bigint);
  return new TelemetryFrame(moded.fields, moded.fields, moded.exact);
}

function nsToMs<N extends number | bigint>(ns: N): N;
function nsToMs(ns: number | bigint): number | bigint {
  return typeof ns === 'bigint' ? ns / 1_000_000n : ns / 1e6;
}
