import type { TripMetric } from '../engine/engine.js';
import type { BudgetResource, TelemetryError } from '../error/index.js';
import type { MetricSource, TelemetryFrame } from '../frame/index.js';

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

export interface ExhaustedEvent {
  readonly resource: BudgetResource;
  /** In the unit of the resource: ms, bytes, counts. */
  readonly limit: number;
  readonly consumed: number;
  /** The frame with which it was noticed: it, or of a sampled session one shortly before it, crossed the limit. */
  readonly seq: number;
}

/** A tripwire with `notify` tripped; told again only after it was released. */
export interface ThresholdEvent {
  readonly metric: TripMetric;
  /** The tripwire's, in ns or bytes. */
  readonly atLeast: number;
  /** The value that tripped it. */
  readonly value: number;
  /** The frame that has it. */
  readonly seq: number;
}

/** What a `TelemetryHandle` emits. A handle never emits `error`. */
export type HandleEvents = {
  source: [SourceEvent];
  exit: [ExitEvent];
  stopped: [StoppedEvent];
  exhausted: [ExhaustedEvent];
  threshold: [ThresholdEvent];
  warning: [TelemetryError];
};
