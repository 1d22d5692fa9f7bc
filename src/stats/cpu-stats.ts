import type { TelemetryError } from '../error/index.js';
import { assertUsage, clampUsage } from '../frame/bounds.js';
import type { MetricSource } from '../frame/metric-source.js';
import { brand } from '../realm/index.js';
import { CPU_FIELDS, CpuFigures, type CpuStatsValues } from '../schema/stats-values.js';
import { exactPart, moded, type StatsOrigin } from './values.js';

/** Omitted values are absent. */
export interface CpuStatsInit<N extends number | bigint = number>
  extends StatsOrigin,
    CpuStatsValues<N> {}

const NAMES = CPU_FIELDS.map(({ stat }) => stat);

/** cpu time of an episode in ns, from `cpu.stat` or summed over its processes. Immutable. */
export class CpuStats<N extends number | bigint = number> extends CpuFigures<N> {
  readonly source: MetricSource;
  /** The reason why the figures are unavailable, or null. */
  readonly error: TelemetryError | null;

  static {
    brand(CpuStats.prototype, 'CpuStats');
  }

  /**
   * Clamps values to 2^63 − 1, raises usage to user + system, and drops the values of an unavailable source. For
   * bigints use `new CpuStats<bigint>({ … })`. Throws `ERR_OUT_OF_RANGE` for a negative value, a fraction, NaN or an
   * infinity.
   */
  constructor(init: CpuStatsInit<NoInfer<N>>) {
    const { values, bigint } = exactPart(NAMES, init, false);
    const { usageNs: usage, userNs: user, systemNs: system } = values;
    super(moded({ ...values, usageNs: clampUsage({ usage, user, system }) }, bigint));
    this.source = init.source;
    this.error = init.error ?? null;
    Object.freeze(this);
  }

  /** Creates stats from the values as given; throws `ERR_INVARIANT` if the constructor would change one. */
  static tryNew<N extends number | bigint = number>(init: CpuStatsInit<NoInfer<N>>): CpuStats<N> {
    const { usageNs: usage, userNs: user, systemNs: system } = exactPart(NAMES, init, true).values;
    assertUsage({ usage, user, system });
    return new CpuStats<N>(init);
  }

  /** Creates stats without figures; `error` gives the reason. */
  static unavailable<N extends number | bigint = number>(
    error: TelemetryError | null = null,
  ): CpuStats<N> {
    return new CpuStats<N>({ source: 'unavailable', error });
  }

  get isAvailable(): boolean {
    return this.source !== 'unavailable';
  }

  /** `usageNs` in ms: fractional as a number, whole ms as a bigint (as `fs.stat` does). */
  get usageMs(): N | null {
    const ns: number | bigint | null = this.usageNs;
    if (ns === null) return null;
    return (typeof ns === 'bigint' ? ns / 1_000_000n : ns / 1e6) as N;
  }
}
