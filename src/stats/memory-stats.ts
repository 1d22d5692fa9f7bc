import type { TelemetryError } from '../error/index.js';
import { assertPeak, clampPeak, saturatingAdd } from '../frame/bounds.js';
import type { MetricSource } from '../frame/metric-source.js';
import { brand } from '../realm/index.js';
import { MEMORY_FIELDS, MemoryFigures, type MemoryStatsValues } from '../schema/stats-values.js';
import { exactPart, moded, type StatsOrigin } from './values.js';

/** Omitted values are absent. */
export interface MemoryStatsInit<N extends number | bigint = number>
  extends StatsOrigin,
    MemoryStatsValues<N> {}

const NAMES = MEMORY_FIELDS.map(({ stat }) => stat);

/**
 * Memory of an episode, from `memory.stat`, `memory.current` and `memory.peak`, or summed from `/proc/<pid>/statm` of
 * its processes. Immutable.
 */
export class MemoryStats<N extends number | bigint = number> extends MemoryFigures<N> {
  readonly source: MetricSource;
  /** The reason why the figures are unavailable, or null. */
  readonly error: TelemetryError | null;

  static {
    brand(MemoryStats.prototype, 'MemoryStats');
  }

  /**
   * Clamps values to 2^63 − 1, raises the peak to the rss, and drops the values of an unavailable source. For bigints
   * use `new MemoryStats<bigint>({ … })`. Throws `ERR_OUT_OF_RANGE` for a negative value, a fraction, NaN or an
   * infinity.
   */
  constructor(init: MemoryStatsInit<NoInfer<N>>) {
    const { values, bigint } = exactPart(NAMES, init, false);
    const peakBytes = clampPeak(values.peakBytes, values.rssBytes);
    super(moded({ ...values, peakBytes }, bigint));
    this.source = init.source;
    this.error = init.error ?? null;
    Object.freeze(this);
  }

  /** Creates stats from the values as given; throws `ERR_INVARIANT` if the constructor would change one. */
  static tryNew<N extends number | bigint = number>(
    init: MemoryStatsInit<NoInfer<N>>,
  ): MemoryStats<N> {
    const { peakBytes, rssBytes } = exactPart(NAMES, init, true).values;
    assertPeak(peakBytes, rssBytes);
    return new MemoryStats<N>(init);
  }

  /** Creates stats without figures; `error` gives the reason. */
  static unavailable<N extends number | bigint = number>(
    error: TelemetryError | null = null,
  ): MemoryStats<N> {
    return new MemoryStats<N>({ source: 'unavailable', error });
  }

  get isAvailable(): boolean {
    return this.source !== 'unavailable';
  }

  /** Sum of the major and minor page faults; null if neither is known. */
  get pageFaults(): N | null {
    if (this.pageFaultsMajor === null) return this.pageFaultsMinor;
    if (this.pageFaultsMinor === null) return this.pageFaultsMajor;
    return saturatingAdd(this.pageFaultsMajor, this.pageFaultsMinor);
  }

  /** `rssBytes` in MiB: fractional as a number, whole MiB as a bigint. */
  get rssMib(): N | null {
    const bytes: number | bigint | null = this.rssBytes;
    if (bytes === null) return null;
    return (typeof bytes === 'bigint' ? bytes >> 20n : bytes / 2 ** 20) as N;
  }
}
