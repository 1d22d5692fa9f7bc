import type { TelemetryError } from '../error/index.js';
import { saturatingAdd } from '../frame/bounds.js';
import type { MetricSource } from '../frame/metric-source.js';
import { brand } from '../realm/index.js';
import { IO_FIELDS, IoFigures, type IoStatsValues } from '../schema/stats-values.js';
import { exactPart, moded, type StatsOrigin } from './values.js';

/** Omitted values are absent. */
export interface IoStatsInit<N extends number | bigint = number>
  extends StatsOrigin,
    IoStatsValues<N> {}

const NAMES = IO_FIELDS.map(({ stat }) => stat);

/** Storage io of an episode, from `io.stat` or summed from `/proc/<pid>/io` of its processes. Immutable. */
export class IoStats<N extends number | bigint = number> extends IoFigures<N> {
  readonly source: MetricSource;
  /** The reason why the figures are unavailable, or null. */
  readonly error: TelemetryError | null;

  static {
    brand(IoStats.prototype, 'IoStats');
  }

  /**
   * Clamps values to 2^63 − 1 and drops the values of an unavailable source. For bigints use
   * `new IoStats<bigint>({ … })`. Throws `ERR_OUT_OF_RANGE` for a negative value, a fraction, NaN or an infinity.
   */
  constructor(init: IoStatsInit<NoInfer<N>>) {
    const { values, bigint } = exactPart(NAMES, init, false);
    super(moded(values, bigint));
    this.source = init.source;
    this.error = init.error ?? null;
    Object.freeze(this);
  }

  /** Creates stats from the values as given; throws `ERR_INVARIANT` if the constructor would change one. */
  static tryNew<N extends number | bigint = number>(init: IoStatsInit<NoInfer<N>>): IoStats<N> {
    exactPart(NAMES, init, true);
    return new IoStats<N>(init);
  }

  /** Creates stats without figures; `error` gives the reason. */
  static unavailable<N extends number | bigint = number>(
    error: TelemetryError | null = null,
  ): IoStats<N> {
    return new IoStats<N>({ source: 'unavailable', error });
  }

  get isAvailable(): boolean {
    return this.source !== 'unavailable';
  }

  /** Sum of the bytes read and written; null if neither is known. */
  get totalBytes(): N | null {
    return total(this.readBytes, this.writeBytes);
  }

  /** Sum of the read and write operations; null if neither is known. */
  get totalOps(): N | null {
    return total(this.readOps, this.writeOps);
  }
}

function total<N extends number | bigint>(a: N | null, b: N | null): N | null {
  if (a === null) return b;
  return b === null ? a : saturatingAdd(a, b);
}
