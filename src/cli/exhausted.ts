/** The limit that ended the measurement, as the summary reports it. Pure. */

import type { BudgetAmounts } from '../budget/index.js';
import type { ExhaustedEvent } from '../collector/index.js';
import type { ExhaustAction } from '../schema/enumerations.js';
import { formatBytes, formatDuration } from './format.js';
import type { Limits } from './limits.js';
import type { Measurement } from './measurement.js';

export type LimitedResource = 'cpu_ms' | 'wall_ms' | 'io_bytes' | 'memory_bytes';

/** How much of a limit was used, in the unit that the resource's name ends with. */
export interface Use {
  readonly resource: LimitedResource;
  readonly limit: number;
  /** null if not measured. */
  readonly consumed: number | null;
}

/** The effect of a limit: an action of episcope, an oom kill by the kernel, or null if nothing was left to stop. */
export type Done = ExhaustAction | 'oom_kill' | null;

export interface Exhausted {
  readonly resource: LimitedResource;
  readonly limit: number;
  readonly consumed: number;
  /** From the start of the run to the frame that reached the limit. */
  readonly afterNs: number;
  /** How long before that frame, at most, it was reached; null if the first frame reached it. */
  readonly lateNs: number | null;
  readonly seq: number;
  readonly done: Done;
}

/** `startedNs`: CLOCK_MONOTONIC at the start of the run. */
export function exhaustedOf(event: ExhaustedEvent, done: Done, startedNs: bigint): Exhausted {
  return {
    resource: RESOURCE_OF[event.resource] ?? 'memory_bytes',
    limit: event.limit,
    consumed: event.consumed,
    afterNs: event.tsMono - Number(startedNs),
    lateNs: event.lateNs,
    seq: event.seq,
    done,
  };
}

/** The resources that the collector limits for `run`. */
const RESOURCE_OF: { readonly [R in ExhaustedEvent['resource']]?: LimitedResource } = {
  cpuMs: 'cpu_ms',
  wallMs: 'wall_ms',
  ioBytes: 'io_bytes',
  memRssBytes: 'memory_bytes',
};

/** The memory limit if the kernel killed because of it; null otherwise. */
export function oomKilled(
  limitBytes: bigint,
  { oom, memPeakBytes }: Measurement,
  startedNs: bigint,
): Exhausted | null {
  if (oom === null) return null;
  return {
    resource: 'memory_bytes',
    limit: Number(limitBytes),
    consumed: Number(memPeakBytes ?? limitBytes),
    afterNs: Number(oom.tsMono - startedNs),
    lateNs: oom.lateNs === null ? null : Number(oom.lateNs),
    seq: Number(oom.seq),
    done: 'oom_kill',
  };
}

/** Returns how much of every given limit was used. */
export function usesOf(
  limits: Limits,
  consumed: BudgetAmounts | null,
  totals: Measurement,
  kernelKeepsMemory: boolean,
): Use[] {
  const memory = kernelKeepsMemory ? totals.memPeakBytes : totals.memRssMaxBytes;
  const all = [
    { resource: 'cpu_ms', limit: inMs(limits.cpuNs), consumed: consumed?.cpuMs ?? null },
    { resource: 'wall_ms', limit: inMs(limits.wallNs), consumed: consumed?.wallMs ?? null },
    { resource: 'io_bytes', limit: number(limits.ioBytes), consumed: consumed?.ioBytes ?? null },
    { resource: 'memory_bytes', limit: number(limits.memoryBytes), consumed: number(memory) },
  ] as const;
  return all.flatMap((use) => (use.limit === null ? [] : [{ ...use, limit: use.limit }]));
}

export function exhaustedToJson(exhausted: Exhausted) {
  return {
    resource: exhausted.resource,
    limit: exhausted.limit,
    consumed: exhausted.consumed,
    over: overOf(exhausted),
    after_ns: exhausted.afterNs,
    late_ns: exhausted.lateNs,
    seq: exhausted.seq,
    action: exhausted.done,
  };
}

/** `cpu 312.0 ms of 500.0 ms`. */
export function useText({ resource, limit, consumed }: Use): string {
  const { name, format } = SHOWN[resource];
  return `${name} ${consumed === null ? '—' : format(consumed)} of ${format(limit)}`;
}

/** `cpu 512.0 ms of 500.0 ms at 1.934 s (12.0 ms too much, noticed within 20.0 ms): killed`. */
export function exhaustedText(exhausted: Exhausted): string {
  const { resource, afterNs, lateNs, done } = exhausted;
  const over = overOf(exhausted);
  const remarks = [
    ...(over > 0 ? [`${SHOWN[resource].format(over)} too much`] : []),
    ...(lateNs === null ? [] : [`noticed within ${formatDuration(BigInt(lateNs))}`]),
  ];
  const aside = remarks.length === 0 ? '' : ` (${remarks.join(', ')})`;
  const what = done === null ? 'it had ended by then' : DONE[done];
  return `${useText(exhausted)} at ${formatDuration(BigInt(afterNs))}${aside}: ${what}`;
}

const DONE: Record<Exclude<Done, null>, string> = {
  kill: 'killed',
  freeze: 'frozen',
  stop: 'no longer measured',
  oom_kill: 'killed by the kernel',
};

const SHOWN: Record<LimitedResource, { name: string; format: (amount: number) => string }> = {
  cpu_ms: { name: 'cpu', format: durationOfMs },
  wall_ms: { name: 'wall', format: durationOfMs },
  io_bytes: { name: 'io', format: bytes },
  memory_bytes: { name: 'memory', format: bytes },
};

// Rounded to ns, so that the difference of two fractions has no more digits than they have.
function overOf({ limit, consumed }: Exhausted): number {
  return Math.max(0, Math.round((consumed - limit) * 1e6) / 1e6);
}

function durationOfMs(ms: number): string {
  return formatDuration(BigInt(Math.round(ms * 1e6)));
}

function bytes(amount: number): string {
  return formatBytes(BigInt(Math.round(amount)));
}

function inMs(ns: bigint | null): number | null {
  return ns === null ? null : Number(ns) / 1e6;
}

function number(value: bigint | null): number | null {
  return value === null ? null : Number(value);
}
