/**
 * One episode in the hands of the sampler: what is due when, the end that must not be lost, and what its owner asks
 * and is told. The twin of `native/core/sampled_episode.h`.
 */
import { FrameFlag, FrameWord } from '../../ring/layout.js';
import {
  type EpisodeSampler,
  SAMPLE_HOLD_IF_ENDED,
  SampleOutcome,
  type SamplingSpec,
  type TripwireSpec,
} from '../engine.js';
import { SETTLE_AGREE_NS, SETTLE_INTERVAL_NS, SETTLE_LIMIT_NS } from '../settling.js';
import { Pacer } from './pacer.js';
import { PendingNews } from './pending-news.js';
import type { Trip } from './tripwires.js';

const MS = 1_000_000n;
/** After the root's exit the end is looked for this much later, then twice as much later each time … */
const FIRST_LINGER_NS = MS;
/** … up to this: `cgroup.events` is rate-limited, and descendants may go on for long. */
const MOST_LINGER_NS = 20n * MS;

/** These two mark the ends of a session, and only the sampler sets them. */
const END_FLAGS = FrameFlag.INITIAL | FrameFlag.TERMINAL;

/** The part of `JsEpisode` that is sampled. */
export interface OpenEpisode extends Omit<EpisodeSampler, 'publish'> {
  readonly rootGone: boolean;
  readonly speedUp: boolean;
  setTripwires(tripwires: readonly TripwireSpec[]): void;
  takeTrips(): Trip[];
  lastFrame(): BigUint64Array;
  setDeadlinesMissed(missed: number): void;
}

export interface Sampling
  extends Pick<SamplingSpec, 'periodNs' | 'fastPeriodNs' | 'tripwires' | 'notifyFrames'> {
  /** The deadlines count from here. */
  readonly anchorNs: bigint;
}

interface Settling {
  /** When the counters are read next. */
  nextNs: bigint;
  /** When they were seen to have moved, or first read. */
  changedNs: bigint;
  readonly limitNs: bigint;
}

/** All times are CLOCK_MONOTONIC. */
export class SampledEpisode {
  readonly news = new PendingNews();
  readonly #episode: OpenEpisode;
  readonly #clock: () => bigint;
  readonly #notifyFrames: boolean;
  readonly #pacer = new Pacer();
  #periodNs: bigint;
  #fastPeriodNs: bigint;
  /** The root is gone: when the end is looked for next, and how long after that again. */
  #linger: { nextNs: bigint; stepNs: bigint } | null = null;
  /** The end was seen. */
  #settling: Settling | null = null;
  /** Requests that the terminal frame answers. */
  readonly #waiting: number[] = [];
  #terminal: BigUint64Array | null = null;

  /** `episode` is open. Takes the initial frame. */
  constructor(episode: OpenEpisode, sampling: Sampling, clock: () => bigint) {
    this.#episode = episode;
    this.#clock = clock;
    this.#notifyFrames = sampling.notifyFrames;
    this.#periodNs = sampling.periodNs;
    this.#fastPeriodNs = sampling.fastPeriodNs;
    episode.setTripwires(sampling.tripwires);
    const outcome = episode.sample(FrameFlag.INITIAL);
    const nowNs = clock();
    this.#pacer.start(sampling.anchorNs, sampling.periodNs, nowNs);
    episode.setDeadlinesMissed(this.#pacer.missed);
    this.#published(outcome, nowNs);
    if ((outcome & SampleOutcome.ENDED) !== 0) this.#beginSettling();
  }

  /** Slot words of the terminal frame; null until it is out, and all is over. */
  get terminal(): BigUint64Array | null {
    return this.#terminal;
  }

  /** When it wants to be woken next; null when it is over. */
  get wakeNs(): bigint | null {
    if (this.#terminal !== null) return null;
    if (this.#settling !== null) return this.#settling.nextNs;
    const { deadlineNs } = this.#pacer;
    const lingerNs = this.#linger?.nextNs ?? deadlineNs;
    return lingerNs < deadlineNs ? lingerNs : deadlineNs;
  }

  /** Serves what is due. Too early does nothing. */
  wake(nowNs: bigint): void {
    if (this.#terminal !== null) return;
    if (this.#settling !== null) {
      this.#goOnSettling(this.#settling, nowNs);
      return;
    }
    if (this.#pacer.due(nowNs)) this.#serveDeadline();
    if (this.#settling === null && this.#linger !== null && nowNs >= this.#linger.nextNs) {
      this.#lookForEnd();
    }
  }

  /** Its cgroup's population changed, perhaps. */
  exitHint(): void {
    if (this.#terminal === null && this.#settling === null) this.#lookForEnd();
  }

  /** One frame now, or the terminal one when the episode has ended. */
  requestFrame(request: number, flags: number): void {
    if (this.#terminal !== null) return;
    if (this.#settling === null) {
      const outcome = this.#episode.sample((flags & ~END_FLAGS) | SAMPLE_HOLD_IF_ENDED);
      if ((outcome & SampleOutcome.ENDED) === 0) {
        this.#published(outcome, this.#clock());
        this.news.addReply({ request, words: this.#episode.lastFrame() });
        return;
      }
      this.#beginSettling();
    }
    this.#waiting.push(request);
  }

  requestEnd(): void {
    if (this.#terminal !== null || this.#settling !== null) return;
    if (this.#episode.ended()) this.#beginSettling();
    else this.#finish(false);
  }

  setTripwires(tripwires: readonly TripwireSpec[]): void {
    if (this.#terminal !== null) return;
    this.#episode.setTripwires(tripwires);
    this.#pace(this.#clock());
  }

  setPeriod(periodNs: bigint, fastPeriodNs: bigint): void {
    this.#periodNs = periodNs;
    this.#fastPeriodNs = fastPeriodNs;
    this.#pace(this.#clock());
  }

  #serveDeadline(): void {
    const outcome = this.#episode.sample(SAMPLE_HOLD_IF_ENDED);
    const nowNs = this.#clock();
    this.#pacer.served(nowNs);
    this.#episode.setDeadlinesMissed(this.#pacer.missed);
    if ((outcome & SampleOutcome.ENDED) !== 0) this.#beginSettling();
    else this.#published(outcome, nowNs);
  }

  #published(outcome: number, nowNs: bigint): void {
    const episode = this.#episode;
    if (this.#notifyFrames) this.news.addFrame();
    if ((outcome & SampleOutcome.WARNING) !== 0) {
      for (const warning of episode.takeWarnings()) this.news.addWarning(warning);
    }
    if ((outcome & SampleOutcome.SOURCE_CHANGED) !== 0) {
      const words = episode.lastFrame();
      const [seq, meta] = [words[FrameWord.SEQ]!, words[FrameWord.META]!];
      this.news.addSource({ seq: Number(seq), meta: Number(meta) });
    }
    if ((outcome & SampleOutcome.TRIPPED) !== 0) {
      for (const trip of episode.takeTrips()) this.news.addTrip(trip);
      this.#pace(nowNs);
    }
    if (episode.rootGone) this.#lingerFrom(nowNs);
  }

  #pace(nowNs: bigint): void {
    const periodNs = this.#episode.speedUp ? this.#fastPeriodNs : this.#periodNs;
    if (periodNs !== this.#pacer.periodNs) this.#pacer.setPeriod(periodNs, nowNs);
  }

  #lookForEnd(): void {
    if (this.#episode.ended()) {
      this.#beginSettling();
      return;
    }
    const nowNs = this.#clock();
    if (this.#episode.rootGone) this.#lingerFrom(nowNs);
    if (this.#linger === null || nowNs < this.#linger.nextNs) return;
    const { stepNs } = this.#linger;
    const twice = 2n * stepNs;
    this.#linger = {
      nextNs: nowNs + stepNs,
      stepNs: twice < MOST_LINGER_NS ? twice : MOST_LINGER_NS,
    };
  }

  #lingerFrom(nowNs: bigint): void {
    this.#linger ??= { nextNs: nowNs + FIRST_LINGER_NS, stepNs: 2n * FIRST_LINGER_NS };
  }

  #beginSettling(): void {
    const changedNs = this.#clock();
    this.#episode.settle();
    this.#settling = {
      nextNs: this.#clock() + SETTLE_INTERVAL_NS,
      changedNs,
      limitNs: changedNs + SETTLE_LIMIT_NS,
    };
  }

  #goOnSettling(settling: Settling, nowNs: bigint): void {
    if (nowNs < settling.nextNs) return;
    const readNs = this.#clock();
    if (!this.#episode.settle()) settling.changedNs = readNs;
    settling.nextNs = this.#clock() + SETTLE_INTERVAL_NS;
    const settled = readNs - settling.changedNs >= SETTLE_AGREE_NS;
    if (settled || settling.nextNs > settling.limitNs) this.#finish(true);
  }

  #finish(exited: boolean): void {
    const outcome = this.#episode.sample(FrameFlag.TERMINAL);
    this.#published(outcome, this.#clock());
    const words = this.#episode.lastFrame();
    for (const request of this.#waiting) this.news.addReply({ request, words });
    this.news.end(exited);
    this.#episode.close();
    this.#terminal = words;
  }
}
