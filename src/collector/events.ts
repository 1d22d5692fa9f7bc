import type { BudgetResource, TelemetryError } from '../error/index.js';
import type { MetricSource, TelemetryFrame } from '../frame/index.js';
import type { ExhaustAction, TripMetric } from '../schema/enumerations.js';

/**
 * Why a session ended: `stop()` or its signal, the episode's own end, an exhausted budget. `'failed'`: the sampler died
 * (a `warning` with `ERR_ENGINE_UNAVAILABLE` gives the reason) and the terminal frame repeats the last values; or
 * another holder of the ring corrupted it (`ERR_RING_CORRUPT`) and the reported frame is the last that was read.
 */
export type StopReason = 'stop' | 'exit' | 'exhausted' | 'failed';

export interface SourceEvent {
  /** The current source of each part. */
  readonly sources: {
    readonly cpu: MetricSource;
    readonly memory: MetricSource;
    readonly io: MetricSource;
  };
  /** The first frame with these sources. */
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
  /** In the same unit, including the frame `seq`. */
  readonly consumed: number;
  /** The frame that reached the limit. It is in the ring. */
  readonly seq: number;
  /** CLOCK_MONOTONIC, ns, of that frame. */
  readonly tsMono: number;
  /**
   * How long before that frame, at most, the limit was reached: the time since the previous frame (for `wallMs`, since
   * the limit itself). Null if the first frame of the session reached it.
   */
  readonly lateNs: number | null;
  /** The action of `onExhausted`. A `warning` reports if a weaker one had to be taken. */
  readonly action: ExhaustAction;
}

/** A tripwire with `notify` tripped; reported again only after it was released. */
export interface TripwireEvent {
  readonly metric: TripMetric;
  /** The threshold of the tripwire, in ns or bytes. */
  readonly atLeast: number;
  /** The value that tripped it. */
  readonly value: number;
  /** The frame with that value. */
  readonly seq: number;
  /** Present only for the threshold of a budget. */
  readonly resource?: undefined;
}

/**
 * A budgeted resource reached the policy's `highFreqThresholdPercent`; reported again only after it fell below fifteen
 * sixteenths of that, which a refund can cause.
 */
export interface BudgetThresholdEvent {
  readonly resource: BudgetResource;
  /** The policy's percentage of the limit. */
  readonly percent: number;
  /** In the unit of the resource: ms, bytes, counts. */
  readonly limit: number;
  readonly consumed: number;
  /** The frame that reached the threshold. */
  readonly seq: number;
  /** Present only for a tripwire. */
  readonly metric?: undefined;
}

/** The presence of `metric` or `resource` distinguishes the two. */
export type ThresholdEvent = TripwireEvent | BudgetThresholdEvent;

/** What caused the frames to be promoted (`PromoteTriggers`). */
export type PromoteTrigger = 'termination' | 'quarantine' | 'budgetThreshold' | 'periodic';

/** Frames were handed to the session's recorder. */
export interface PromotedEvent {
  readonly trigger: PromoteTrigger;
  /** The number of frames. */
  readonly frames: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Earlier frames that the ring no longer held. */
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
