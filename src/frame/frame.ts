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
 * What an episode had consumed at one moment. Immutable. Values are `number` (the nearest double, exact below 2^53)
 * or `bigint`, as requested from the reader. An absent metric is null.
 */
export class TelemetryFrame<N extends number | bigint = number>
  extends FrameValues<N>
  implements FrameFields<N>
{
  readonly episodeId: string;
  readonly seq: N;
  readonly tsMono: N;
  /** Source of the cpu figure; `sources` has the source of every part. */
  readonly source: MetricSource;
  readonly o11yFlags: O11yFlags;
  readonly sources: MetricSources;
  readonly quality: FrameQualities;
  readonly #exact: ExactValues | null;

  /** @internal Use a reader, the builder or `fromJSON`. The values are not checked; the objects are frozen. */
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
   * Returns a builder of one frame. The type of `seq` determines the mode of the frame: `builder('job', 0n)` builds a
   * `TelemetryFrame<bigint>`. Throws `ERR_INVALID_EPISODE_ID`, or `ERR_OUT_OF_RANGE` if `seq` is not a whole
   * number ≥ 0.
   */
  static builder(episodeId: string, seq: number): TelemetryFrameBuilder<number>;
  static builder(episodeId: string, seq: bigint): TelemetryFrameBuilder<bigint>;
  static builder(episodeId: string, seq: number | bigint): TelemetryFrameBuilder<number | bigint> {
    assertEpisodeId(episodeId);
    const bigint = typeof seq === 'bigint';
    return new TelemetryFrameBuilder(episodeId, seq, (fields) => fromExact(fields, bigint));
  }

  /**
   * Decodes a parsed JSON object. It must have the twelve fields of `toJSON()`; the fields that `toNDJSON()` adds are
   * optional.
   *
   * The twelve-field form writes an absent metric as 0 and has only one source. Therefore:
   *
   * - The fields of a part whose source is `unavailable` decode to null.
   * - Without `sources`, memory and io have the source `source`. If that is `unavailable` and they are not zero, they
   *   have the source `proc`, which claims less.
   * - A total of 0 that is below its components (`cpu_ns` below user + system, `mem_peak_bytes` below rss) is absent.
   * - Doubles beyond 2^53 are rounded independently, so a usage that is below user + system by at most the rounding
   *   error is raised to the sum.
   *
   * Throws `ERR_INVALID_CONFIG` (a field is missing, unknown or has the wrong type), `ERR_INVALID_EPISODE_ID`,
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

  /** cpu time in ms: fractional as a number, whole ms as a bigint (as `fs.stat` does). */
  get cpuMs(): N | null {
    return this.cpuNs === null ? null : nsToMs(this.cpuNs);
  }

  /** Sum of the bytes read and written; null if neither is known. */
  get ioTotalBytes(): N | null {
    if (this.ioReadBytes === null) return this.ioWriteBytes;
    if (this.ioWriteBytes === null) return this.ioReadBytes;
    return saturatingAdd(this.ioReadBytes, this.ioWriteBytes);
  }

  /** Whether the cpu figure comes from the cgroup. */
  get isFromCgroup(): boolean {
    return this.source === 'cgroup';
  }

  /** Whether the frame has the `degraded` flag or any part of it comes from `/proc`. */
  get isDegraded(): boolean {
    const { cpu, memory, io } = this.sources;
    return this.o11yFlags.degraded || cpu === 'proc' || memory === 'proc' || io === 'proc';
  }

  /** Returns the twelve-field wire form. All values are numbers, even in a bigint frame; an absent metric is 0. */
  toJSON(): FrameJson {
    return frameToJson(this);
  }

  /** Returns every field as one line of JSON without a newline: the twelve fields first, all integers exact. */
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
