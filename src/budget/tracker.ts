import { BudgetExhaustedError, type BudgetResource } from '../error/index.js';
import { brand, ownInstance } from '../realm/index.js';
import { RESOURCES } from '../schema/enumerations.js';
import { BudgetCounters } from './counters.js';
import {
  amountOf,
  type BudgetAmounts,
  type BudgetDelta,
  indexOfResource,
  unitsOfDelta,
  unitsOfLimits,
} from './resources.js';

/** A budget to pass to another thread, as returned by `share()`. Can be cloned by `postMessage`. */
export interface SharedBudget {
  readonly budget: SharedArrayBuffer;
}

/**
 * Counts what an episode consumes against its limits. The counters are in shared memory: any thread can charge the
 * same budget, without locks, and no charge is lost.
 *
 * What was consumed is always recorded, even if the charge crosses a limit.
 *
 * ```ts
 * const budget = new BudgetTracker({ cpuMs: 60_000, ioBytes: 1e9 });
 * budget.charge({ cpuMs: 12.5 });
 * new Worker(file, { workerData: budget.share() }); // there: BudgetTracker.attach(workerData)
 * ```
 */
export class BudgetTracker {
  readonly #counters: BudgetCounters;

  static {
    brand(BudgetTracker.prototype, 'BudgetTracker');
  }

  /**
   * A limit of 0, or none, is unlimited. Throws `ERR_OUT_OF_RANGE` if a limit is negative, NaN, infinite, or fractional
   * (times may be fractional); `ERR_INVALID_CONFIG` for another type or an unknown resource.
   */
  constructor(limits?: BudgetDelta);
  /** @internal */
  constructor(counters: BudgetCounters);
  constructor(given: BudgetDelta | BudgetCounters = {}) {
    this.#counters =
      given instanceof BudgetCounters ? given : BudgetCounters.create(unitsOfLimits(given), false);
  }

  /** Returns a tracker that records consumption and has no limits. */
  static unlimited(): BudgetTracker {
    return new BudgetTracker();
  }

  /** Like `unlimited()`, but with `isDeferred` set: the limits are decided later, elsewhere. */
  static deferred(): BudgetTracker {
    return new BudgetTracker(BudgetCounters.create([], true));
  }

  /** Returns a tracker of the budget that another thread shared. Throws `ERR_INVALID_CONFIG` for anything else. */
  static attach(shared: SharedBudget): BudgetTracker {
    return new BudgetTracker(BudgetCounters.attach(shared?.budget));
  }

  /** Returns the budget in the form that can be posted to another thread. */
  share(): SharedBudget {
    return { budget: this.#counters.memory };
  }

  get isDeferred(): boolean {
    return this.#counters.deferred;
  }

  /** The limits as the constructor takes them: 0 is unlimited. */
  get limits(): BudgetAmounts {
    return this.#amounts((i) => this.#counters.limit(i) ?? 0n);
  }

  /** Returns what was consumed so far, to the nearest number. */
  consumed(): BudgetAmounts {
    return this.#amounts((i) => this.#counters.consumed(i));
  }

  /** Returns what remains: never below 0, and `Infinity` if there is no limit. */
  remaining(): BudgetAmounts {
    return this.#amounts((i) => this.#remaining(i));
  }

  /** Whether the limit of `resource` (default: of any) is reached. Throws `ERR_INVALID_CONFIG` for an unknown one. */
  isExhausted(resource?: BudgetResource): boolean {
    if (resource !== undefined) return this.#remaining(indexOfResource(resource)) === 0n;
    return RESOURCES.some((_, i) => this.#remaining(i) === 0n);
  }

  /** Records the amounts, and throws `BudgetExhaustedError` if they were more than remained. */
  charge(delta: BudgetDelta): void {
    const error = this.tryCharge(delta);
    if (error) throw error;
  }

  /** Records the amounts only if all of them fit. Otherwise records nothing and returns the error. */
  tryReserve(delta: BudgetDelta): BudgetExhaustedError | null {
    const units = unitsOfDelta(delta);
    const reserved: [index: number, units: bigint][] = [];
    for (const [i, requested] of units.entries()) {
      const limit = this.#counters.limit(i);
      if (limit === null || requested === 0n) continue;
      const remaining = this.#counters.addIfFits(i, requested, limit);
      if (remaining !== null) {
        for (const [earlier, taken] of reserved) this.#counters.refund(earlier, taken);
        return exhausted(i, requested, remaining);
      }
      reserved.push([i, requested]);
    }
    for (const [i, requested] of units.entries()) {
      if (this.#counters.limit(i) === null) this.#counters.add(i, requested);
    }
    return null;
  }

  /** Equivalent to `charge({ evidenceBytes: bytes })`. */
  chargeEvidence(bytes: number | bigint): void {
    this.charge({ evidenceBytes: bytes });
  }

  /**
   * Replaces an estimate that was charged or reserved with the actual consumption, and refunds the difference. If more
   * was consumed than estimated, records the excess and then throws `ERR_BUDGET_ESTIMATE`.
   */
  reconcile(estimate: BudgetDelta, actual: BudgetDelta): void {
    const estimated = unitsOfDelta(estimate);
    const consumed = unitsOfDelta(actual);
    let overrun: BudgetExhaustedError | null = null;
    for (const [i, resource] of RESOURCES.entries()) {
      const difference = (estimated[i] ?? 0n) - (consumed[i] ?? 0n);
      if (difference > 0n) this.#counters.refund(i, difference);
      if (difference >= 0n) continue;
      this.#counters.add(i, -difference);
      overrun ??= new BudgetExhaustedError('ERR_BUDGET_ESTIMATE', {
        resource,
        estimate: amountOf(resource, estimated[i] ?? 0n),
        actual: amountOf(resource, consumed[i] ?? 0n),
      });
    }
    if (overrun) throw overrun;
  }

  /** Records the amounts, and returns the error if they were more than remained, else null. */
  tryCharge(delta: BudgetDelta): BudgetExhaustedError | null {
    const units = unitsOfDelta(delta);
    // Every amount is recorded before an error is returned.
    let error: BudgetExhaustedError | null = null;
    for (const [i, requested] of units.entries()) {
      if (requested === 0n) continue;
      const before = this.#counters.add(i, requested);
      const limit = this.#counters.limit(i);
      if (limit === null) continue;
      const remaining = before < limit ? limit - before : 0n;
      if (requested > remaining) error ??= exhausted(i, requested, remaining);
    }
    return error;
  }

  #remaining(index: number): bigint | null {
    const limit = this.#counters.limit(index);
    if (limit === null) return null;
    const consumed = this.#counters.consumed(index);
    return consumed < limit ? limit - consumed : 0n;
  }

  #amounts(units: (index: number) => bigint | null): BudgetAmounts {
    const amounts = {} as Record<BudgetResource, number>;
    for (const [i, resource] of RESOURCES.entries()) {
      const value = units(i);
      amounts[resource] = value === null ? Number.POSITIVE_INFINITY : amountOf(resource, value);
    }
    return amounts;
  }
}

function exhausted(index: number, requested: bigint, remaining: bigint): BudgetExhaustedError {
  const resource = RESOURCES[index] as BudgetResource;
  return new BudgetExhaustedError('ERR_BUDGET_EXHAUSTED', {
    resource,
    requested: amountOf(resource, requested),
    remaining: amountOf(resource, remaining),
  });
}

/** Returns a tracker of this evaluation of the package over the same counters; null for anything but a tracker. */
export function ownBudget(value: unknown): BudgetTracker | null {
  return ownInstance(BudgetTracker, value, (foreign) => BudgetTracker.attach(foreign.share?.()));
}
