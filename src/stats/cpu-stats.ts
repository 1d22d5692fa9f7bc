import type { TelemetryError } from '../error/index.js';
import { assertUsage, clampUsage } from '../frame/invariants.js';
import type { MetricSource } from '../frame/metric-source.js';
import { brand } from '../realm/index.js';
import { exactPart, type GivenValue, moded, type StatsOrigin } from './values.js';

/** Values that are left out are absent. */
export interface CpuStatsInit<N extends number | bigint = number> extends StatsOrigin {
  readonly usageNs?: GivenValue<N>;
  readonly userNs?: GivenValue<N>;
  readonly systemNs?: GivenValue<N>;
  readonly throttledNs?: GivenValue<N>;
  readonly nrThrottled?: GivenValue<N>;
}

const NAMES = ['usageNs', 'userNs', 'systemNs', 'throttledNs', 'nrThrottled'] as const;

/** cpu time of an episode: `cpu.stat` × 1000, or the ledger of its processes. Immutable. */
export class CpuStats<N extends number | bigint = number> {
  /** Never below `userNs + systemNs` (INV-CPU001). */
  readonly usageNs: N | null;
  readonly userNs: N | null;
  readonly systemNs: N | null;
  /** How long the cgroup was held back by `cpu.max`; null without the cpu controller. */
  readonly throttledNs: N | null;
  readonly nrThrottled: N | null;
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
    this.usageNs = moded(clampUsage({ usage, user, system }), bigint);
    this.userNs = moded(user, bigint);
    this.systemNs = moded(system, bigint);
    this.throttledNs = moded(values.throttledNs, bigint);
    this.nrThrottled = moded(values.nrThrottled, bigint);
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
