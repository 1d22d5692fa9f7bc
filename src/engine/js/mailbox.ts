/**
 * What the owner of a sampled episode and the sampler exchange: requests, the answers to requested frames, and news. If
 * the owner does not take its news, only the newest of each kind are kept. The twin of `native/core/mailbox.h`.
 */
import { MAX_KEPT_NEWS, MAX_WARNINGS } from '../../schema/bounds.js';
import { SampleOutcome } from '../../schema/enumerations.js';
import { FrameWord } from '../../schema/layout.js';
import type { FailedAction, SamplerNews, SampleWarning, TripwireSpec } from '../engine.js';
import type { DrivenEpisode } from './driven-episode.js';
import { sameWarning } from './failure-log.js';

export interface FrameRequest {
  readonly request: number;
  readonly flags: number;
}

export interface Periods {
  readonly baseNs: bigint;
  readonly fastNs: bigint;
}

export interface ActionResult {
  readonly id: number;
  /** null if the kernel has accepted the request. */
  readonly errno: string | null;
}

/** Requests other than for frames; the newest of each kind. */
export interface Requests {
  readonly tripwires?: readonly TripwireSpec[];
  readonly periods?: Periods;
  readonly actionResult?: ActionResult;
  readonly end?: boolean;
}

type News = {
  -readonly [K in keyof SamplerNews]: SamplerNews[K] extends readonly (infer T)[]
    ? T[]
    : SamplerNews[K];
};

export class Mailbox {
  readonly #notifyEvery: number;
  #untoldFrames = 0;
  #frames: FrameRequest[] = [];
  /** Requests that the terminal frame will answer. */
  #held: number[] = [];
  #requests: Requests = {};
  #news = noNews();
  #hasNews = false;

  /** `notifyEvery`: report new frames in steps of this number; 0 reports none. */
  constructor(notifyEvery: number) {
    this.#notifyEvery = notifyEvery;
  }

  requestFrame(request: number, flags: number): void {
    this.#frames.push({ request, flags });
  }

  requestEnd(): void {
    this.#requests = { ...this.#requests, end: true };
  }

  requestTripwires(tripwires: readonly TripwireSpec[]): void {
    this.#requests = { ...this.#requests, tripwires };
  }

  requestPeriods(periods: Periods): void {
    this.#requests = { ...this.#requests, periods };
  }

  actionDone(actionResult: ActionResult): void {
    this.#requests = { ...this.#requests, actionResult };
  }

  get hasNews(): boolean {
    return this.#hasNews;
  }

  takeNews(): SamplerNews {
    const news = this.#news;
    this.#news = noNews();
    this.#hasNews = false;
    return news;
  }

  takeRequests(): Requests {
    const requests = this.#requests;
    this.#requests = {};
    return requests;
  }

  get hasFramesLeft(): boolean {
    return this.#frames.length > 0;
  }

  /** Removes and returns the oldest request for a frame. */
  nextFrame(): FrameRequest | undefined {
    return this.#frames.shift();
  }

  /** The terminal frame will answer it. */
  holdUntilEnd(request: number): void {
    this.#held.push(request);
  }

  reply(request: number, words: BigUint64Array): void {
    this.#news.replies.push({ request, words });
    this.#hasNews = true;
  }

  /** Adds the news of a published frame. */
  note(outcome: number, episode: DrivenEpisode): void {
    const news = this.#news;
    if (this.#notifyEvery !== 0 && ++this.#untoldFrames >= this.#notifyEvery) {
      this.#untoldFrames = 0;
      news.frames = this.#hasNews = true;
    }
    if ((outcome & SampleOutcome.SOURCE_CHANGED) !== 0) {
      const words = episode.lastFrame();
      const [seq, meta] = [words[FrameWord.SEQ]!, words[FrameWord.META]!];
      this.#add(news.sources, { seq: Number(seq), meta: Number(meta) });
    }
    if ((outcome & SampleOutcome.TRIPPED) !== 0) {
      for (const trip of episode.takeTrips()) this.#add(news.trips, trip);
      for (const trip of episode.takeBudgetTrips()) this.#add(news.budgetTrips, trip);
    }
    if ((outcome & SampleOutcome.EXHAUSTED) !== 0) {
      news.exhausted = episode.exhaustion;
      this.#hasNews = true;
    }
    if ((outcome & SampleOutcome.WARNING) !== 0) {
      for (const warning of episode.takeWarnings()) this.#addWarning(warning);
    }
  }

  noteFailed(failed: FailedAction): void {
    this.#news.failedActions.push(failed);
    this.#hasNews = true;
  }

  /** The terminal frame is out: it answers all requests, and nothing comes after it. */
  end(exited: boolean, words: BigUint64Array): void {
    const left = [...this.#held, ...this.#frames.map(({ request }) => request)];
    this.#held = [];
    this.#frames = [];
    for (const request of left) this.reply(request, words);
    this.#news.ended = { exited, failure: null };
    this.#hasNews = true;
  }

  #add<T>(list: T[], item: T, max = MAX_KEPT_NEWS): void {
    list.push(item);
    if (list.length > max) list.shift();
    this.#hasNews = true;
  }

  /** Adds a warning. One that is already in the list moves to the end. */
  #addWarning(warning: SampleWarning): void {
    const { warnings } = this.#news;
    const at = warnings.findIndex((other) => sameWarning(warning, other));
    if (at >= 0) warnings.splice(at, 1);
    this.#add(warnings, warning, MAX_WARNINGS);
  }
}

export function noNews(): News {
  return {
    frames: false,
    sources: [],
    warnings: [],
    trips: [],
    budgetTrips: [],
    exhausted: null,
    failedActions: [],
    replies: [],
    ended: null,
  };
}
