/** The destination of a session's promoted frames: what a recorder or an exporter implements, and what it receives. */

import type { BudgetAmounts } from '../budget/index.js';
import type { EngineName } from '../engine/engine.js';
import type { TelemetryFrame } from '../frame/index.js';
import type { TelemetryPolicy } from '../policy/index.js';
import type { ExhaustAction, Tier } from '../schema/enumerations.js';
import type { ExhaustedEvent, PromoteTrigger, StopReason } from './events.js';

/** The first entry of a session: the context of its frames. */
export interface StartEntry {
  readonly kind: 'start';
  readonly episodeId: string;
  readonly pid: number;
  /** The wall clock at the start of the session. */
  readonly startedAt: Date;
  /** CLOCK_MONOTONIC, ns, at the start of the session. */
  readonly startMonoNs: bigint;
  readonly engine: EngineName;
  /** The requested tier. */
  readonly tier: Tier;
  /** The episode's cgroup, null if there is none. */
  readonly cgroupPath: string | null;
  readonly policy: TelemetryPolicy;
  /** The limits, 0 for unlimited; null without a budget. */
  readonly budget: BudgetAmounts | null;
  readonly baseline: 'zero' | 'now';
  readonly onExhausted: ExhaustAction;
}

/** Promoted frames, flagged `promoted`: each frame of a session comes once and in order. */
export interface FramesEntry {
  readonly kind: 'frames';
  readonly episodeId: string;
  readonly trigger: PromoteTrigger;
  /** The argument of `quarantine(reason)`, else null. */
  readonly reason: string | null;
  /** Oldest first; at least one, unless `reason` is given. */
  readonly frames: readonly TelemetryFrame<bigint>[];
  /** Earlier frames that the ring no longer held when they were to be promoted. */
  readonly missed: number;
}

/** The last entry of a session. */
export interface EndEntry {
  readonly kind: 'end';
  readonly episodeId: string;
  readonly reason: StopReason;
  /** The terminal frame, with the final totals. */
  readonly frame: TelemetryFrame<bigint>;
  /** Wall time of the session, ns. */
  readonly wallNs: bigint;
  /** Frames that were taken. */
  readonly framesCollected: number;
  /** Of those, the frames that were promoted. */
  readonly framesPromoted: number;
  /** The limit that was exhausted, null if none was. */
  readonly exhausted: ExhaustedEvent | null;
}

export type SinkEntry = StartEntry | FramesEntry | EndEntry;

/**
 * Receives what a session promotes, on its owner's event loop. The next entry comes only after the last was taken (its
 * promise resolved); meanwhile frames wait in the ring, and those overwritten there are counted in `missed`. An error
 * that `write` throws or rejects with becomes a `warning` event of the handle; the session goes on.
 */
export interface FrameSink {
  write(entry: SinkEntry): void | Promise<void>;
}
