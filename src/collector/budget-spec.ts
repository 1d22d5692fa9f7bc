/** What the sampler, or a manual session, needs of a budget; and the events of a budget, in the units of the API. */

import { BudgetCounters } from '../budget/counters.js';
import type { BudgetTracker } from '../budget/index.js';
import { amountOf, EXHAUSTIBLE } from '../budget/resources.js';
import { type BudgetTrip, type Exhaustion, NO_THRESHOLD } from '../budget/watch.js';
import type { BudgetSpec } from '../engine/engine.js';
import type { BudgetResource } from '../error/index.js';
import type { TelemetryPolicy } from '../policy/index.js';
import { type ExhaustAction, RESOURCES } from '../schema/enumerations.js';
import type { BudgetThresholdEvent, ExhaustedEvent } from './events.js';

export function budgetSpec(
  budget: BudgetTracker,
  policy: TelemetryPolicy,
  baseline: 'zero' | 'now',
): BudgetSpec {
  const memory = budget.share().budget;
  const counters = BudgetCounters.attach(memory);
  const thresholds = RESOURCES.map((_, i) =>
    shareOf(counters.limit(i), policy.highFreqThresholdPercent),
  );
  return {
    memory,
    baseline,
    thresholds,
    // Hysteresis: a value that hovers about the threshold must not be reported again and again.
    releases: thresholds.map((threshold) => threshold - threshold / 16n),
    speedUp: policy.highFreqEnabled,
  };
}

/** Percentages have six decimal places; the share is rounded up, so that it is never reached too early. */
const PERCENT_UNITS = 1_000_000;

function shareOf(limit: bigint | null, percent: number): bigint {
  if (limit === null) return NO_THRESHOLD;
  const whole = 100n * BigInt(PERCENT_UNITS);
  return (limit * BigInt(Math.round(percent * PERCENT_UNITS)) + whole - 1n) / whole;
}

export function thresholdEvent(trip: BudgetTrip, percent: number): BudgetThresholdEvent {
  const resource = RESOURCES[trip.resource] as BudgetResource;
  return {
    resource,
    percent,
    limit: amountOf(resource, trip.limit),
    consumed: amountOf(resource, trip.consumed),
    seq: trip.seq,
  };
}

export function exhaustedEvent(exhaustion: Exhaustion, action: ExhaustAction): ExhaustedEvent {
  const resource = EXHAUSTIBLE[exhaustion.resource] as ExhaustedEvent['resource'];
  const amount = (units: bigint) => amountOf(resource, units);
  return {
    resource,
    limit: amount(exhaustion.limit),
    consumed: amount(exhaustion.consumed),
    seq: exhaustion.seq,
    tsMono: Number(exhaustion.tsNs),
    lateNs: exhaustion.lateNs === null ? null : Number(exhaustion.lateNs),
    action,
  };
}
