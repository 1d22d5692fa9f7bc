/** What the owner's thread and the worker of its sampler say to each other. */
import type { MessagePort } from 'node:worker_threads';
import type { SamplerNews, SamplingSpec, TripwireSpec } from '../engine.js';
import type { ReadFailure } from '../failure.js';

/** Words of the memory that the owner waits on, by index; `WORDS` is how many. */
export const Gate = {
  /** Set to 1, and notified, when `start` or `endAll` is done, or `ENDED` is set. */
  OPEN: 0,
  /** 1: the worker is ending, and serves nothing any more. */
  ENDED: 1,
  WORDS: 2,
} as const;

export interface SamplerWorkerData {
  readonly gate: Int32Array;
  /** Takes one `StartOutcome` per `start`, before the gate opens. */
  readonly outcomes: MessagePort;
}

export type SamplerRequest =
  | { readonly kind: 'start'; readonly id: number; readonly spec: SamplingSpec }
  | {
      readonly kind: 'frame';
      readonly id: number;
      readonly request: number;
      readonly flags: number;
    }
  | { readonly kind: 'end'; readonly id: number }
  | {
      readonly kind: 'tripwires';
      readonly id: number;
      readonly tripwires: readonly TripwireSpec[];
    }
  | {
      readonly kind: 'period';
      readonly id: number;
      readonly periodNs: bigint;
      readonly fastPeriodNs: bigint;
    }
  /** The last batch of news was taken: the next may come. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'endAll' };

/** null: it is being sampled. A string: what went wrong in the worker itself. */
export type StartOutcome = null | ReadFailure | string;

/** The worker posts arrays of these, the next only when the last was taken. */
export interface EpisodeNews {
  readonly id: number;
  readonly news: SamplerNews;
  /** Slot words of the terminal frame, with the news that it is there. */
  readonly terminal: BigUint64Array | null;
}
