import type { BudgetResource, TelemetryError } from '../error/index.js';
import type { MetricSource, TelemetryFrame } from '../frame/index.js';

/** Why a session ended: `stop()` or its signal, the episode's own end, an exhausted budget. */
export type StopReason = 'stop' | 'exit' | 'exhausted';

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
  /** The frame that crossed the limit; it is in the ring. */
  readonly seq: number;
}

/** What a `TelemetryHandle` emits. A handle never emits `error`. */
export type HandleEvents = {
  source: [SourceEvent];
  exit: [ExitEvent];
  stopped: [StoppedEvent];
  exhausted: [ExhaustedEvent];
  warning: [TelemetryError];
};
