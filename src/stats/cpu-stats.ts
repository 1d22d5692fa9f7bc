import type { TelemetryError } from '../error/index.js';
import { assertUsage, clampUsage } from '../frame/invariants.js';
import type { MetricSource } from '../frame/metric-source.js';
import { brand } from '../realm/index.js';
import { CPU_FIELDS, CpuFigures, type CpuStatsValues } from '../schema/stats-values.js';
import { exactPart, moded, type StatsOrigin } from './values.js';

/** Values that are left out are absent. */
export interface CpuStatsInit<N extends number | bigint = number>
  extends StatsOrigin,
    CpuStatsValues<N> {}

const NAMES = CPU_FIELDS.map(({ stat }) => stat);

/** cpu time of an episode: `cpu.stat` × 1000, or the ledger of its processes. Immutable. */
export class CpuStats<N extends number | bigint = number> extends CpuFigures<N> {
  readonly source: MetricSource;
  /** Why the figures are unavailable, or null. */
  readonly error: TelemetryError | null;

  static {
    brand(CpuStats.prototype, 'CpuStats');
  }

  /**
   * Clamps: values to 2^63 − 1, usage up to user + system; an unavailable source has no values. For bigints write
   * `new CpuStats<bigint>({ … })`. Throws `ERR_OUT_OF_RANGE` for a negative, a fraction, NaN or an infinity.
   */
  constructor(init: CpuStatsInit<NoInfer<N>>) {
    const { values, bigint } = exactPart(NAMES, init, false);
    const { usageNs: usage, userNs: user, systemNs: system } = values;
    super(moded({ ...values, usageNs: clampUsage({ usage, user, system }) }, bigint));
    this.source = init.source;
    this.error = init.error ?? null;
    Object.freeze(this);
  }

  /** The stats as given; throws `ERR_INVARIANT` where the constructor would clamp. */
  static tryNew<N extends number | bigint = number>(init: CpuStatsInit<NoInfer<N>>): CpuStats<N> {
    const { usageNs: usage, userNs: user, systemNs: system } = exactPart(NAMES, init, true).values;
    assertUsage({ usage, user, system });
    return new CpuStats<N>(init);
  }

  /** No figures, and why. */
  static unavailable<N extends number | bigint = number>(
    error: TelemetryError | null = null,
  ): CpuStats<N> {
    return new CpuStats<N>({ source: 'unavailable', error });
  }

  get isAvailable(): boolean {
    return this.source !== 'unavailable';
  }

  /** `usageNs` in ms: with its fraction as a number, whole ms as a bigint (the convention of `fs.stat`). */
  get usageMs(): N | null {
    const ns: number | bigint | null = this.usageNs;
    if (ns === null) return null;
    return (typeof ns === 'bigint' ? ns / 1_000_000n : ns / 1e6) as N;
  }
}
