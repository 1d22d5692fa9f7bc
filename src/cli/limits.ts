/** The limits of a run, and how they are passed to the collector and the kernel. */

import { BudgetTracker } from '../budget/index.js';
import type { Tripwire } from '../collector/index.js';
import type { TelemetryPolicy } from '../policy/index.js';
import type { ExhaustAction } from '../schema/enumerations.js';
import type { OsResourceLimits, Scope } from '../scope/index.js';

/** A resource with null is not limited. */
export interface Limits {
  readonly cpuNs: bigint | null;
  readonly wallNs: bigint | null;
  readonly ioBytes: bigint | null;
  readonly memoryBytes: bigint | null;
  /** The action when a limit is reached. */
  readonly onExhausted: ExhaustAction;
}

/** The budget for cpu, wall time and io; null if none of them is limited. */
export function budgetOf({ cpuNs, wallNs, ioBytes }: Limits): BudgetTracker | null {
  if (cpuNs === null && wallNs === null && ioBytes === null) return null;
  return new BudgetTracker({
    cpuMs: msOf(cpuNs ?? 0n),
    wallMs: msOf(wallNs ?? 0n),
    ioBytes: ioBytes ?? 0n,
  });
}

/** Whether the kernel enforces the memory limit; otherwise only samples can detect that it is reached. */
export function kernelLimitsMemory(scope: Scope | null): boolean {
  return scope?.controllers.includes('memory') ?? false;
}

/** The limits that the kernel enforces. An oom kill takes the whole scope if a limit is meant to kill. */
export function kernelLimits({ memoryBytes, onExhausted }: Limits): OsResourceLimits {
  if (memoryBytes === null) return {};
  return { memoryBytes, memoryOomGroup: onExhausted === 'kill' };
}

/** Checks the memory limit with every sample, and samples faster near it, if the kernel does not enforce it. */
export function memoryTripwires(limitBytes: bigint, policy: TelemetryPolicy): Tripwire[] {
  const percent = BigInt(Math.round(policy.highFreqThresholdPercent));
  return [
    {
      metric: 'memRssBytes',
      atLeast: (limitBytes * percent + 99n) / 100n,
      speedUp: true,
      notify: false,
    },
    { metric: 'memRssBytes', atLeast: limitBytes, exhausts: true, notify: false },
  ];
}

function msOf(ns: bigint): number {
  return Number(ns) / 1e6;
}
