/** The messages between the owner's thread and the worker of its sampler. */
import type { MessagePort } from 'node:worker_threads';
import type { ReadFailure, SamplerNews, SamplingSpec, TripwireSpec } from '../engine.js';

/** Indices of the words in the memory that the owner waits on; `WORDS` is their number. */
export const Gate = {
  /** Set to 1, with a notification, when `start` or `endAll` is done or `ENDED` is set. */
  OPEN: 0,
  /** 1 if the worker is exiting and serves no more requests. */
  ENDED: 1,
  WORDS: 2,
} as const;

export interface SamplerWorkerData {
  readonly gate: Int32Array;
  /** The worker posts one `StartOutcome` per `start` before the gate opens. */
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
  /** The owner has taken the last batch of news, so the worker may post the next. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'endAll' };

/** null if the episode is being sampled; a string if the worker itself failed. */
export type StartOutcome = null | ReadFailure | string;

/** The worker posts arrays of these, one at a time: the next array only after the owner has taken the last one. */
export interface EpisodeNews {
  readonly id: number;
  readonly news: SamplerNews;
  /** Slot words of the terminal frame, in the news that reports it. */
  readonly terminal: BigUint64Array | null;
}
