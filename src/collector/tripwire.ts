import type { TripwireSpec } from '../engine/engine.js';
import {
  assertBoolean,
  assertOptions,
  invalidConfig,
  type OptionKeys,
  outOfRange,
  wholeNumber,
} from '../error/index.js';
import type { TelemetryPolicy } from '../policy/index.js';
import { MAX_FRAME_COUNT, MAX_TRIPWIRES } from '../schema/bounds.js';
import { TRIP_METRICS, TripAction, type TripMetric } from '../schema/enumerations.js';

/**
 * A plain threshold on a published value, and what the sampler does within the sample that reaches it, however busy the
 * event loop is. A value that is absent changes nothing.
 */
export interface Tripwire {
  /** `ioBytes` is read + written. */
  readonly metric: TripMetric;
  /** Trips at this value, in ns or bytes. `memRssBytes` is released below 15/16 of it; counters never fall. */
  readonly atLeast: number | bigint;
  /**
   * Samples at the policy's divided period while it is tripped, with frames flagged `highFrequency`. Default false; has
   * no effect if the policy disables high frequency.
   */
  readonly speedUp?: boolean | undefined;
  /** Emits `threshold`, once until it is released. Default true. */
  readonly notify?: boolean | undefined;
  /** Acts as a limit of a budget: emits `exhausted`, takes `onExhausted` and ends the session. Default false. */
  readonly exhausts?: boolean | undefined;
}

const TRIPWIRE: OptionKeys<Tripwire> = {
  metric: true,
  atLeast: true,
  speedUp: true,
  notify: true,
  exhausts: true,
};

/** Throws `ERR_INVALID_CONFIG` or `ERR_OUT_OF_RANGE` unless `tripwires` is a list of tripwires. */
export function assertTripwires(tripwires: unknown): asserts tripwires is readonly Tripwire[] {
  if (!Array.isArray(tripwires)) throw invalidConfig('tripwires must be an array');
  if (tripwires.length > MAX_TRIPWIRES) {
    throw invalidConfig(`at most ${MAX_TRIPWIRES} tripwires, not ${tripwires.length}`);
  }
  for (const each of tripwires) assertTripwire(each);
}

function assertTripwire(tripwire: Tripwire): void {
  assertOptions('a tripwire', tripwire, TRIPWIRE);
  const { metric, atLeast, speedUp, notify, exhausts } = tripwire;
  if (!TRIP_METRICS.includes(metric)) {
    throw invalidConfig(`a tripwire's metric must be one of ${TRIP_METRICS.join(', ')}`);
  }
  assertBoolean('speedUp', speedUp);
  assertBoolean('notify', notify);
  assertBoolean('exhausts', exhausts);
  if (notify === false && speedUp !== true && exhausts !== true) {
    throw invalidConfig('a tripwire must speed up, notify or exhaust');
  }
  if (wholeNumber('atLeast', atLeast) > MAX_FRAME_COUNT) {
    throw outOfRange('atLeast', atLeast, 'must be at most 2^63 − 1');
  }
}

/** Returns the tripwire as the sampler takes it. */
export function tripwireSpec(tripwire: Tripwire, policy: TelemetryPolicy): TripwireSpec {
  const { metric, speedUp = false, notify = true, exhausts = false } = tripwire;
  const threshold = BigInt(tripwire.atLeast);
  return {
    metric,
    threshold,
    // Memory goes up and down: a value that hovers about the threshold must not be reported again and again.
    release: metric === 'memRssBytes' ? threshold - threshold / 16n : threshold,
    actions:
      (speedUp && policy.highFreqEnabled ? TripAction.SPEED_UP : 0) |
      (notify ? TripAction.NOTIFY : 0) |
      (exhausts ? TripAction.EXHAUST : 0),
  };
}
