import type { TelemetryError } from '../error/index.js';
import { saturatingAdd } from '../frame/bounds.js';
import { assertPeak, clampPeak } from '../frame/invariants.js';
import type { MetricSource } from '../frame/metric-source.js';
import { brand } from '../realm/index.js';
import { MEMORY_FIELDS, MemoryFigures, type MemoryStatsValues } from '../schema/stats-values.js';
import { exactPart, moded, type StatsOrigin } from './values.js';

/** Values that are left out are absent. */
export interface MemoryStatsInit<N extends number | bigint = number>
  extends StatsOrigin,
    MemoryStatsValues<N> {}

const NAMES = MEMORY_FIELDS.map(({ stat }) => stat);

/** Memory of an episode: `memory.stat`, `memory.current`, `memory.peak`, or its processes' `statm`. Immutable. */
export class MemoryStats<N extends number | bigint = number> extends MemoryFigures<N> {
  readonly source: MetricSource;
  /** Why the figures are unavailable, or null. */
  readonly error: TelemetryError | null;

  static {
    brand(MemoryStats.prototype, 'MemoryStats');
  }

  /**
   * Clamps: values to 2^63 − 1, peak up to rss; an unavailable source has no values. For bigints write
   * `new MemoryStats<bigint>({ … })`. Throws `ERR_OUT_OF_RANGE` for a negative, a fraction, NaN or an infinity.
   */
  constructor(init: MemoryStatsInit<NoInfer<N>>) {
    const { values, bigint } = exactPart(NAMES, init, false);
    const peakBytes = clampPeak(values.peakBytes, values.rssBytes);
    super(moded({ ...values, peakBytes }, bigint));
    this.source = init.source;
    this.error = init.error ?? null;
    Object.freeze(this);
  }

  /** The stats as given; throws `ERR_INVARIANT` where the constructor would clamp. */
  static tryNew<N extends number | bigint = number>(
    init: MemoryStatsInit<NoInfer<N>>,
  ): MemoryStats<N> {
    const { peakBytes, rssBytes } = exactPart(NAMES, init, true).values;
    assertPeak(peakBytes, rssBytes);
    return new MemoryStats<N>(init);
  }

  /** No figures, and why. */
  static unavailable<N extends number | bigint = number>(
    error: TelemetryError | null = null,
  ): MemoryStats<N> {
    return new MemoryStats<N>({ source: 'unavailable', error });
  }

  get isAvailable(): boolean {
    return this.source !== 'unavailable';
  }

  /** Major and minor page faults; null when neither is known. */
  get pageFaults(): N | null {
    if (this.pageFaultsMajor === null) return this.pageFaultsMinor;
    if (this.pageFaultsMinor === null) return this.pageFaultsMajor;
    return saturatingAdd(this.pageFaultsMajor, this.pageFaultsMinor);
  }

  /** `rssBytes` in MiB: with its fraction as a number, whole MiB as a bigint. */
  get rssMib(): N | null {
    const bytes: number | bigint | null = this.rssBytes;
    if (bytes === null) return null;
    return (typeof bytes === 'bigint' ? bytes >> 20n : bytes / 2 ** 20) as N;
  }
}
