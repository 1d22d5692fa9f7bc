import type { TelemetryError } from '../error/index.js';
import { saturatingAdd } from '../frame/bounds.js';
import type { MetricSource } from '../frame/metric-source.js';
import { brand } from '../realm/index.js';
import { IO_FIELDS, IoFigures, type IoStatsValues } from '../schema/stats-values.js';
import { exactPart, moded, type StatsOrigin } from './values.js';

/** Values that are left out are absent. */
export interface IoStatsInit<N extends number | bigint = number>
  extends StatsOrigin,
    IoStatsValues<N> {}

const NAMES = IO_FIELDS.map(({ stat }) => stat);

/** Storage io of an episode: `io.stat` summed over devices, or its processes' `io`. Immutable. */
export class IoStats<N extends number | bigint = number> extends IoFigures<N> {
  readonly source: MetricSource;
  /** Why the figures are unavailable, or null. */
  readonly error: TelemetryError | null;

  static {
    brand(IoStats.prototype, 'IoStats');
  }

  /**
   * Clamps values to 2^63 − 1; an unavailable source has no values. For bigints write `new IoStats<bigint>({ … })`.
   * Throws `ERR_OUT_OF_RANGE` for a negative, a fraction, NaN or an infinity.
   */
  constructor(init: IoStatsInit<NoInfer<N>>) {
    const { values, bigint } = exactPart(NAMES, init, false);
    super(moded(values, bigint));
    this.source = init.source;
    this.error = init.error ?? null;
    Object.freeze(this);
  }

  /** The stats as given; throws `ERR_INVARIANT` where the constructor would clamp. */
  static tryNew<N extends number | bigint = number>(init: IoStatsInit<NoInfer<N>>): IoStats<N> {
    exactPart(NAMES, init, true);
    return new IoStats<N>(init);
  }

  /** No figures, and why. */
  static unavailable<N extends number | bigint = number>(
    error: TelemetryError | null = null,
  ): IoStats<N> {
    return new IoStats<N>({ source: 'unavailable', error });
  }

  get isAvailable(): boolean {
    return this.source !== 'unavailable';
  }

  /** Bytes read and written; null when neither is known. */
  get totalBytes(): N | null {
    return total(this.readBytes, this.writeBytes);
  }

  /** Operations of both kinds; null when neither is known. */
  get totalOps(): N | null {
    return total(this.readOps, this.writeOps);
  }
}

function total<N extends number | bigint>(a: N | null, b: N | null): N | null {
  if (a === null) return b;
  return b === null ? a : saturatingAdd(a, b);
}
