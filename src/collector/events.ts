import type { BudgetResource, TelemetryError } from '../error/index.js';
import type { MetricSource, TelemetryFrame } from '../frame/index.js';
import type { ExhaustAction, TripMetric } from '../schema/enumerations.js';

/**
 * Why a session ended: `stop()` or its signal, the episode's own end, an exhausted budget; `'failed'`: the sampler
 * died (a `warning` with `ERR_ENGINE_UNAVAILABLE` says how), and the terminal frame repeats the last values; or who
 * shares the ring destroyed it (`ERR_RING_CORRUPT`), and the frame told is the last that was read.
 */
export type StopReason = 'stop' | 'exit' | 'exhausted' | 'failed';

export interface SourceEvent {
  /** Where each part comes from now. */
  readonly sources: {
    readonly cpu: MetricSource;
    readonly memory: MetricSource;
    readonly io: MetricSource;
  };
  /** The first frame that says so. */
  readonly seq: number;
}

export interface ExitEvent {
  /** The terminal frame, with the final totals. */
  readonly frame: TelemetryFrame;
}

export interface StoppedEvent {
  readonly reason: StopReason;
  /** The terminal frame. */
  readonly frame: TelemetryFrame;
}

/** A limit was reached. */
export interface ExhaustedEvent {
  /** A resource of the budget, or the metric of a tripwire that `exhausts`. */
  readonly resource: BudgetResource | TripMetric;
  /** In the unit of the resource: ms, bytes, counts (of a tripwire's metric: ns, bytes). */
  readonly limit: number;
  /** In the same unit, with the frame `seq`. */
  readonly consumed: number;
  /** The frame that reached the limit. It is in the ring. */
  readonly seq: number;
  /** CLOCK_MONOTONIC, ns, of that frame. */
  readonly tsMono: number;
  /**
   * How long before that frame, at most, the limit was reached: the time since the frame before (of `wallMs` since the
   * limit itself). Null where the first frame of the session reached it.
   */
  readonly lateNs: number | null;
  /** What is done about it: `onExhausted`. A `warning` tells where a weaker action had to be taken. */
  readonly action: ExhaustAction;
}

/** A tripwire with `notify` tripped; told again only after it was released. */
export interface TripwireEvent {
  readonly metric: TripMetric;
  /** The tripwire's, in ns or bytes. */
  readonly atLeast: number;
  /** The value that tripped it. */
  readonly value: number;
  /** The frame that has it. */
  readonly seq: number;
  /** Only of a budget's threshold. */
  readonly resource?: undefined;
}

/**
 * A budgeted resource reached the policy's `highFreqThresholdPercent`; told again only after it had fallen below
 * fifteen sixteenths of that, as refunds can have it.
 */
export interface BudgetThresholdEvent {
  readonly resource: BudgetResource;
  /** The policy's percentage of the limit. */
  readonly percent: number;
  /** In the unit of the resource: ms, bytes, counts. */
  readonly limit: number;
  readonly consumed: number;
  /** The frame with which it was reached. */
  readonly seq: number;
  /** Only of a tripwire. */
  readonly metric?: undefined;
}

/** `metric` or `resource` tells which of the two it is. */
export type ThresholdEvent = TripwireEvent | BudgetThresholdEvent;

/** What had the frames promoted (`PromoteTriggers`). */
export type PromoteTrigger = 'termination' | 'quarantine' | 'budgetThreshold' | 'periodic';

/** Frames were handed to the session's recorder. */
export interface PromotedEvent {
  readonly trigger: PromoteTrigger;
  /** How many. */
  readonly frames: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Frames before them that the ring no longer held. */
  readonly missed: number;
}

/** What a `TelemetryHandle` emits. A handle never emits `error`. */
export type HandleEvents = {
  source: [SourceEvent];
  exit: [ExitEvent];
  stopped: [StoppedEvent];
  exhausted: [ExhaustedEvent];
  threshold: [ThresholdEvent];
  promoted: [PromotedEvent];
  warning: [TelemetryError];
};
