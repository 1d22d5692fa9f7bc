/** The limits of a run, and what the collector is told of them. */

import { BudgetTracker } from '../budget/index.js';
import type { Tripwire } from '../collector/index.js';
import type { TelemetryPolicy } from '../policy/index.js';
import type { ExhaustAction } from '../schema/enumerations.js';
import type { OsResourceLimits, Scope } from '../scope/index.js';

/** null: not limited. */
export interface Limits {
  readonly cpuNs: bigint | null;
  readonly wallNs: bigint | null;
  readonly ioBytes: bigint | null;
  readonly memoryBytes: bigint | null;
  /** What is done when one is reached. */
  readonly onExhausted: ExhaustAction;
}

/** The budget of all that adds up; null where none of it is limited. */
export function budgetOf({ cpuNs, wallNs, ioBytes }: Limits): BudgetTracker | null {
  if (cpuNs === null && wallNs === null && ioBytes === null) return null;
  return new BudgetTracker({
    cpuMs: msOf(cpuNs ?? 0n),
    wallMs: msOf(wallNs ?? 0n),
    ioBytes: ioBytes ?? 0n,
  });
}

/** Whether the kernel itself holds the episode below its memory limit; else only samples can tell. */
export function kernelLimitsMemory(scope: Scope | null): boolean {
  return scope?.controllers.includes('memory') ?? false;
}

/** What the kernel is to keep. An oom kill takes the whole scope where a limit is to kill. */
export function kernelLimits({ memoryBytes, onExhausted }: Limits): OsResourceLimits {
  if (memoryBytes === null) return {};
  return { memoryBytes, memoryOomGroup: onExhausted === 'kill' };
}

/** Where the kernel limits no memory: a limit that is looked at with every sample, more often as it comes near. */
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
