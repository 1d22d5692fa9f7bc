import { invalidConfig, TelemetryError, wholeNumber } from '../error/index.js';
import { MetricSetters } from '../schema/frame-values.js';
import {
  FRAME_PARTS,
  type FrameMetrics,
  type FramePart,
  type FramePressure,
  METRICS,
  type MetricName,
  PRESSURE_METRICS,
  type PressureName,
} from '../schema/metrics.js';
import {
  assertBounded,
  assertPeak,
  assertUsage,
  clampPeak,
  clampUsage,
  clampValue,
  exactValue,
} from './bounds.js';
import type { FrameFields } from './fields.js';
import type { TelemetryFrame } from './frame.js';
import { assertMetricSource, type MetricSource, type MetricSources } from './metric-source.js';
import { O11yFlags, ownFlags } from './o11y-flags.js';
import {
  type FrameQualities,
  type FrameQuality,
  qualityFromBits,
  qualityToBits,
} from './quality.js';

type Value = number | bigint | null;

/**
 * Builds one frame. A metric that is not set is absent. Every setter accepts a number or a bigint, and throws
 * `ERR_OUT_OF_RANGE` for a negative value, a fraction, NaN or an infinity.
 *
 * The source of a part is taken from `sources`, else from `source`, else it is `cgroup` if the part has a value. A
 * part without values is `unavailable`.
 */
export class TelemetryFrameBuilder<N extends number | bigint = number> extends MetricSetters {
  readonly #episodeId: string;
  readonly #seq: bigint;
  readonly #finish: (fields: FrameFields<bigint>) => TelemetryFrame<number | bigint>;
  readonly #metrics = new Map<MetricName, bigint>();
  readonly #pressure = new Map<PressureName, bigint>();
  #tsMono = 0n;
  #source: MetricSource | null = null;
  #sources: Partial<MetricSources> = {};
  #quality: Partial<Record<FramePart, number>> = {};
  #flags: O11yFlags = O11yFlags.none;

  /** @internal Use `TelemetryFrame.builder`. */
  constructor(
    episodeId: string,
    seq: number | bigint,
    finish: (fields: FrameFields<bigint>) => TelemetryFrame<number | bigint>,
  ) {
    super();
    this.#episodeId = episodeId;
    this.#seq = whole('seq', seq);
    this.#finish = finish;
  }

  /** Sets the CLOCK_MONOTONIC time of the read, in ns. */
  tsMono(ns: number | bigint): this {
    this.#tsMono = whole('tsMono', ns);
    return this;
  }

  /** Sets the given pressure totals and leaves the others unchanged; null removes one. */
  pressure(totals: Partial<FramePressure<number | bigint>>): this {
    for (const { name } of PRESSURE_METRICS) {
      const value = totals[name];
      if (value === null) this.#pressure.delete(name);
      else if (value !== undefined) this.#pressure.set(name, whole(`pressure.${name}`, value));
    }
    return this;
  }

  /** Sets the source of every part that has a value. */
  source(source: MetricSource): this {
    assertMetricSource('source', source);
    this.#source = source;
    return this;
  }

  /** Sets the sources of individual parts. */
  sources(sources: Partial<MetricSources>): this {
    for (const part of FRAME_PARTS) {
      const source = sources[part];
      if (source === undefined) continue;
      assertMetricSource(`sources.${part}`, source);
      this.#sources = { ...this.#sources, [part]: source };
    }
    return this;
  }

  /** Sets the qualities of individual parts. */
  quality(quality: { readonly [P in FramePart]?: Iterable<FrameQuality> }): this {
    for (const part of FRAME_PARTS) {
      const names = quality[part];
      if (names !== undefined) this.#quality[part] = qualityToBits(names);
    }
    return this;
  }

  o11yFlags(flags: O11yFlags): this {
    const own = ownFlags(flags);
    if (own === null) throw invalidConfig('o11yFlags must be O11yFlags');
    this.#flags = own;
    return this;
  }

  /**
   * Builds the frame and enforces its invariants: values are clamped to 2^63 − 1, a usage below user + system and a
   * peak below rss are raised, and the values of an unavailable part are dropped.
   */
  build(): TelemetryFrame<N> {
    return this.#frame(clampValue);
  }

  /** Builds the frame as given; throws `ERR_INVARIANT` if `build()` would have changed a value. */
  tryBuild(): TelemetryFrame<N> {
    const metric = (name: MetricName) => this.#metrics.get(name) ?? null;
    assertBounded('seq', this.#seq);
    assertBounded('tsMono', this.#tsMono);
    for (const [name, value] of this.#metrics) assertBounded(name, value);
    for (const [name, value] of this.#pressure) assertBounded(name, value);
    assertUsage({
      usage: metric('cpuNs'),
      user: metric('cpuUserNs'),
      system: metric('cpuSystemNs'),
    });
    assertPeak(metric('memPeakBytes'), metric('memRssBytes'));
    for (const { name, part } of METRICS) {
      if (part && this.#metrics.has(name) && this.#sourceOf(part) === 'unavailable') {
        throw new TelemetryError('ERR_INVARIANT', `${name} has a value but ${part} is unavailable`);
      }
    }
    return this.#frame((value) => value);
  }

  protected override set(name: MetricName, value: Value): this {
    if (value === null) this.#metrics.delete(name);
    else this.#metrics.set(name, whole(name, value));
    return this;
  }

  #sourceOf(part: FramePart): MetricSource {
    const given = this.#sources[part];
    if (given) return given;
    if (part === 'cpu' && this.#source) return this.#source;
    const hasValue = METRICS.some((each) => each.part === part && this.#metrics.has(each.name));
    return hasValue ? (this.#source ?? 'cgroup') : 'unavailable';
  }

  #frame(bounded: (value: bigint) => bigint): TelemetryFrame<N> {
    const sources: MetricSources = {
      cpu: this.#sourceOf('cpu'),
      memory: this.#sourceOf('memory'),
      io: this.#sourceOf('io'),
    };
    const metrics = {} as Record<keyof FrameMetrics, bigint | null>;
    for (const { name, part } of METRICS) {
      const value = part && sources[part] === 'unavailable' ? undefined : this.#metrics.get(name);
      metrics[name] = value === undefined ? null : bounded(value);
    }
    metrics.cpuNs = clampUsage({
      usage: metrics.cpuNs,
      user: metrics.cpuUserNs,
      system: metrics.cpuSystemNs,
    });
    metrics.memPeakBytes = clampPeak(metrics.memPeakBytes, metrics.memRssBytes);
    const pressure = {} as Record<PressureName, bigint | null>;
    for (const { name } of PRESSURE_METRICS) {
      const value = this.#pressure.get(name);
      pressure[name] = value === undefined ? null : bounded(value);
    }
    const quality: FrameQualities = {
      cpu: qualityFromBits(this.#quality.cpu ?? 0),
      memory: qualityFromBits(this.#quality.memory ?? 0),
      io: qualityFromBits(this.#quality.io ?? 0),
    };
    return this.#finish({
      episodeId: this.#episodeId,
      seq: bounded(this.#seq),
      tsMono: bounded(this.#tsMono),
      ...metrics,
      pressure,
      sources,
      quality,
      o11yFlags: this.#flags,
      // The type of `seq` determined both the mode and N.
    }) as TelemetryFrame<N>;
  }
}

function whole(name: string, value: number | bigint): bigint {
  wholeNumber(name, value);
  return exactValue(value);
}
