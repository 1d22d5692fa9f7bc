import { invalidConfig, TelemetryError, wholeNumber } from '../error/index.js';
import { assertBounded, clampValue, exactValue } from '../frame/bounds.js';
import { assertMetricSource, type MetricSource } from '../frame/metric-source.js';

/** The options that every stats constructor takes besides its values. */
export interface StatsOrigin {
  readonly source: MetricSource;
  /** The reason why the part is unavailable. */
  readonly error?: TelemetryError | null;
}

/** Values as bigints; `bigint` says whether the stats expose them as bigints. */
export interface ExactPart<Name extends string> {
  readonly values: { readonly [K in Name]: bigint | null };
  readonly bigint: boolean;
}

/**
 * Checks and clamps the argument of a stats constructor. Throws `ERR_INVALID_CONFIG` for a wrong type and
 * `ERR_OUT_OF_RANGE` for a negative value or a fraction. With `strict`, throws `ERR_INVARIANT` instead of clamping.
 * The values of an unavailable part are dropped.
 */
export function exactPart<Name extends string>(
  names: readonly Name[],
  init: StatsOrigin & { readonly [K in Name]?: number | bigint | null | undefined },
  strict: boolean,
): ExactPart<Name> {
  if (typeof init !== 'object' || init === null) {
    throw invalidConfig('stats require an object');
  }
  assertMetricSource('source', init.source);
  const values = {} as Record<Name, bigint | null>;
  let bigint = false;
  for (const name of names) {
    const given = init[name] ?? null;
    if (given !== null) wholeNumber(name, given);
    bigint ||= typeof given === 'bigint';
    const exact = given === null ? null : exactValue(given);
    if (strict) {
      assertBounded(name, exact);
      if (exact !== null && init.source === 'unavailable') {
        throw new TelemetryError('ERR_INVARIANT', `${name} has a value but is unavailable`);
      }
    }
    values[name] = exact === null || init.source === 'unavailable' ? null : clampValue(exact);
  }
  return { values, bigint };
}

/** Converts values to the requested mode; the type argument must agree with `bigint`. */
export function moded<Name extends string, N extends number | bigint>(
  values: { readonly [K in Name]: bigint | null },
  bigint: boolean,
): { readonly [K in Name]: N | null } {
  const out = {} as Record<Name, N | null>;
  for (const name of Object.keys(values) as Name[]) {
    const value = values[name];
    out[name] = value === null ? null : ((bigint ? value : Number(value)) as N);
  }
  return out;
}
