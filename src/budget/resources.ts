import {
  type BudgetResource,
  finiteNumber,
  invalidConfig,
  isKeyed,
  wholeNumber,
} from '../error/index.js';
import { clampValue } from '../frame/bounds.js';
import { RESOURCES, TRIP_METRICS } from '../schema/enumerations.js';

/** Amounts by resource: times in ms (a fraction is kept down to the ns), sizes in bytes, counts. */
export type BudgetAmounts = { readonly [R in BudgetResource]: number };

/** Amounts to charge or limits; an omitted resource counts as 0. Amounts beyond 2^53 are given as bigints. */
export type BudgetDelta = { readonly [R in BudgetResource]?: number | bigint };

/** What can be exhausted: the resources of a budget, and the metrics of tripwires with `exhausts`. */
export const EXHAUSTIBLE = [...RESOURCES, ...TRIP_METRICS] as const;

const NS_PER_MS = 1_000_000n;

function isTime(resource: string): boolean {
  return resource === 'cpuMs' || resource === 'wallMs';
}

/**
 * Converts an amount to counted units: times in ns, so that fractions of a millisecond are kept. At most 2^63 − 1.
 * Throws `ERR_OUT_OF_RANGE` (negative, not finite, or a fraction of a counted unit), `ERR_INVALID_CONFIG`.
 */
function unitsOf(resource: BudgetResource, amount: number | bigint): bigint {
  if (!isTime(resource)) return clampValue(wholeNumber(resource, amount));
  if (typeof amount === 'bigint' || Number.isInteger(amount)) {
    return clampValue(wholeNumber(resource, amount) * NS_PER_MS);
  }
  finiteNumber(resource, amount);
  // Whole ms and the fraction are converted separately, so that a long time does not lose the fraction's digits.
  const ms = Math.floor(amount);
  return clampValue(BigInt(ms) * NS_PER_MS + BigInt(Math.round((amount - ms) * 1e6)));
}

/** Converts counted units to an amount: the nearest number; times of a budget in ms, with their fraction. */
export function amountOf(resource: string, units: bigint): number {
  return isTime(resource) ? Number(units) / 1e6 : Number(units);
}

/** Returns the index of a resource in `RESOURCES`. Throws `ERR_INVALID_CONFIG` for an unknown one. */
export function indexOfResource(resource: BudgetResource): number {
  const index = RESOURCES.indexOf(resource);
  if (index >= 0) return index;
  throw invalidConfig(`a budget limits ${RESOURCES.join(', ')}, not ${String(resource)}`);
}

/** Converts every amount of `delta` to counted units. All are checked before any is used. */
export function unitsOfDelta(delta: BudgetDelta): readonly bigint[] {
  if (!isKeyed(delta)) {
    throw invalidConfig('amounts of a budget are an object by resource');
  }
  for (const name of Object.keys(delta)) indexOfResource(name as BudgetResource);
  return RESOURCES.map((resource) => unitsOf(resource, delta[resource] ?? 0));
}

/** The same for limits, where 0 means unlimited: a limit below half a ns therefore becomes 1 ns. */
export function unitsOfLimits(limits: BudgetDelta): readonly bigint[] {
  return unitsOfDelta(limits).map((units, i) =>
    units === 0n && Number(limits[RESOURCES[i]!] ?? 0) > 0 ? 1n : units,
  );
}
