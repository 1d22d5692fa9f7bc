/**
 * One episode in the hands of the sampler: what is due when, the end that must not be lost, and what its owner asks
 * and is told. The twin of `native/core/sampled_episode.h`.
 */

import type { BudgetTrip, Exhaustion } from '../../budget/watch.js';
import {
  ENFORCE_LIMIT_NS,
  LINGER_FIRST_NS,
  LINGER_MAX_NS,
  SAMPLE_HOLD_IF_ENDED,
  SETTLE_AGREE_NS,
  SETTLE_INTERVAL_NS,
  SETTLE_LIMIT_NS,
} from '../../schema/bounds.js';
import { type ExhaustAction, SampleOutcome } from '../../schema/enumerations.js';
import { FrameFlag, FrameWord } from '../../schema/layout.js';
import type { EpisodeSampler, SamplingSpec, TripwireSpec } from '../engine.js';
import { Pacer } from './pacer.js';
import { PendingNews } from './pending-news.js';
import type { Trip } from './tripwires.js';

/** These two mark the ends of a session, and only the sampler sets them. */
const END_FLAGS = FrameFlag.INITIAL | FrameFlag.TERMINAL;

/** What is done to the processes of an episode. */
export type EnforcedAction = Exclude<ExhaustAction, 'stop'>;

/** The part of `JsEpisode` that is sampled. */
export interface OpenEpisode extends Omit<EpisodeSampler, 'publish'> {
  readonly rootGone: boolean;
  readonly speedUp: boolean;
  readonly exhaustion: Exhaustion | null;
  readonly wallDueNs: bigint | null;
  readonly hasCgroup: boolean;
  takeBudgetTrips(): BudgetTrip[];
  enforce(action: EnforcedAction): Promise<string | null>;
  isEnforced(action: EnforcedAction): boolean;
  setTripwires(tripwires: readonly TripwireSpec[]): void;
  takeTrips(): Trip[];
  lastFrame(): BigUint64Array;
  remember(): void;
  setDeadlinesMissed(missed: number): void;
}

export interface Sampling
  extends Pick<
    SamplingSpec,
    'periodNs' | 'fastPeriodNs' | 'tripwires' | 'onExhausted' | 'notifyEvery'
  > {
  /** The deadlines count from here. */
  readonly anchorNs: bigint;
}

interface Settling {
  /** When the counters are read next. */
  nextNs: bigint;
  /** When they were seen to have moved, or first read. */
  changedNs: bigint;
  readonly limitNs: bigint;
  /** The episode itself ended. */
  readonly exited: boolean;
}

/** `onExhausted`, or what is taken in its place. */
interface Enforcing {
  readonly action: EnforcedAction;
  /** Not everybody was found at once: to be done again at `nextNs`. */
  again: boolean;
  /** The kernel was told; it may take a while to come about. */
  done: boolean;
  /** When it is looked at next, how long after that again, and until when. */
  nextNs: bigint;
  stepNs: bigint;
  readonly limitNs: bigint;
}

/** All times are CLOCK_MONOTONIC. */
export class SampledEpisode {
  readonly news = new PendingNews();
  /** Whoever samples it serves it by this when something that took its time is done. */
  serve: (act: () => void) => void = (act) => act();
  readonly #episode: OpenEpisode;
  readonly #clock: () => bigint;
  readonly #notifyEvery: number;
  /** Frames that were not told of. */
  #untold = 0;
  readonly #onExhausted: ExhaustAction;
  readonly #pacer = new Pacer();
  #periodNs: bigint;
  #fastPeriodNs: bigint;
  /** The root is gone: when the end is looked for next, and how long after that again. */
  #linger: { nextNs: bigint; stepNs: bigint } | null = null;
  /** The end was seen. */
  #settling: Settling | null = null;
  #enforcing: Enforcing | null = null;
  #endAsked = false;
  /** Requests that the terminal frame answers. */
  readonly #waiting: number[] = [];
  #terminal: BigUint64Array | null = null;

  /** `episode` is open. Takes the initial frame. */
  constructor(episode: OpenEpisode, sampling: Sampling, clock: () => bigint) {
    this.#episode = episode;
    this.#clock = clock;
    this.#notifyEvery = sampling.notifyEvery;
    this.#onExhausted = sampling.onExhausted;
    this.#periodNs = sampling.periodNs;
    this.#fastPeriodNs = sampling.fastPeriodNs;
    episode.setTripwires(sampling.tripwires);
    const outcome = episode.sample(FrameFlag.INITIAL);
    const nowNs = clock();
    this.#pacer.start(sampling.anchorNs, sampling.periodNs, nowNs);
    episode.setDeadlinesMissed(this.#pacer.missed);
    this.#published(outcome, nowNs);
    if ((outcome & SampleOutcome.ENDED) !== 0) this.#beginSettling(true);
    this.#serveEnd();
  }

  /** Slot words of the terminal frame; null until it is out, and all is over. */
  get terminal(): BigUint64Array | null {
    return this.#terminal;
  }

  /** When it wants to be woken next; null when it is over. */
  get wakeNs(): bigint | null {
    if (this.#terminal !== null) return null;
    if (this.#settling !== null) return this.#settling.nextNs;
    return [
      this.#linger?.nextNs,
      this.#enforcing?.nextNs,
      this.#episode.wallDueNs ?? undefined,
    ].reduce<bigint>(earlier, this.#pacer.deadlineNs);
  }

  /** Serves what is due. Too early does nothing. */
  wake(nowNs: bigint): void {
    if (this.#terminal !== null) return;
    if (this.#settling !== null) {
      this.#goOnSettling(this.#settling, nowNs);
      return;
    }
    if (this.#pacer.due(nowNs)) this.#serveDeadline();
    if (isDue(this.#episode.wallDueNs, nowNs) && this.#settling === null) this.#sampleBeside();
    if (isDue(this.#enforcing?.nextNs, nowNs)) this.#lookAtAction();
    if (isDue(this.#linger?.nextNs, nowNs) && this.#settling === null) this.#lookForEnd();
    this.#serveEnd();
  }

  /** Its cgroup's population changed, perhaps. */
  exitHint(): void {
    if (this.#terminal !== null || this.#settling !== null) return;
    if (this.#enforcing?.done === true) this.#lookAtAction();
    if (this.#settling === null) this.#lookForEnd();
    this.#serveEnd();
  }

  /** One frame now, or the terminal one when the episode has ended. */
  requestFrame(request: number, flags: number): void {
    if (this.#terminal !== null) return;
    if (this.#settling === null) {
      const outcome = this.#episode.sample((flags & ~END_FLAGS) | SAMPLE_HOLD_IF_ENDED);
      if ((outcome & SampleOutcome.ENDED) === 0) {
        this.#published(outcome, this.#clock());
        this.news.addReply({ request, words: this.#episode.lastFrame() });
        this.#serveEnd();
        return;
      }
      this.#beginSettling(true);
    }
    this.#waiting.push(request);
  }

  requestEnd(): void {
    this.#endAsked = true;
    this.#serveEnd();
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
    if ((outcome & SampleOutcome.ENDED) !== 0) this.#beginSettling(true);
    else this.#published(outcome, nowNs);
  }

  /** One frame beside the period. */
  #sampleBeside(): void {
    const outcome = this.#episode.sample(SAMPLE_HOLD_IF_ENDED);
    if ((outcome & SampleOutcome.ENDED) !== 0) this.#beginSettling(true);
    else this.#published(outcome, this.#clock());
  }

  #published(outcome: number, nowNs: bigint): void {
    const episode = this.#episode;
    if (this.#notifyEvery !== 0 && ++this.#untold >= this.#notifyEvery) {
      this.#untold = 0;
      this.news.addFrame();
    }
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
      for (const trip of episode.takeBudgetTrips()) this.news.addBudgetTrip(trip);
      this.#pace(nowNs);
    }
    if ((outcome & SampleOutcome.EXHAUSTED) !== 0 && episode.exhaustion !== null) {
      this.news.exhaust(episode.exhaustion);
      // What has ended is left to its end.
      if ((outcome & SampleOutcome.ENDED) === 0) this.#enforce(this.#onExhausted);
    }
    if (episode.rootGone) this.#lingerFrom(nowNs);
  }

  // Ends the session, once the terminal frame may come: after what is being done to the episode.
  #serveEnd(): void {
    if (!this.#endAsked || this.#terminal !== null || this.#settling !== null) return;
    if (this.#enforcing !== null) return;
    if (this.#episode.ended()) this.#beginSettling(true);
    else this.#finish(false);
  }

  #enforce(action: ExhaustAction): void {
    // What the terminal frame exhausts is told, and nothing is left to be done about it.
    if (this.#terminal !== null) return;
    if (action === 'stop') {
      this.#endAsked = true;
      return;
    }
    if (action === 'freeze' && !this.#episode.hasCgroup) {
      this.#giveUp(action, null);
      return;
    }
    const limitNs = this.#clock() + ENFORCE_LIMIT_NS;
    this.#enforcing = {
      action,
      again: false,
      done: false,
      nextNs: limitNs,
      stepNs: LINGER_FIRST_NS,
      limitNs,
    };
    this.#act(this.#enforcing);
  }

  #act(enforcing: Enforcing): void {
    void this.#episode.enforce(enforcing.action).then((errno) =>
      this.serve(() => {
        if (this.#enforcing !== enforcing) return;
        this.#enforced(enforcing, errno);
        this.#serveEnd();
      }),
    );
  }

  #enforced(enforcing: Enforcing, errno: string | null): void {
    if (errno === 'EAGAIN' && this.#clock() < enforcing.limitNs) {
      enforcing.again = true;
      enforcing.nextNs = this.#clock() + LINGER_FIRST_NS;
      return;
    }
    if (errno !== null) {
      this.#giveUp(enforcing.action, errno);
      return;
    }
    enforcing.done = true;
    this.#lookAtAction();
  }

  #lookAtAction(): void {
    const enforcing = this.#enforcing;
    if (enforcing === null || this.#settling !== null) return;
    if (enforcing.done && this.#episode.isEnforced(enforcing.action)) {
      this.#beginSettling(this.#episode.ended());
      return;
    }
    const nowNs = this.#clock();
    if (nowNs >= enforcing.limitNs) {
      this.#giveUp(enforcing.action, enforcing.again ? 'EAGAIN' : 'ETIMEDOUT');
      return;
    }
    if (enforcing.again) {
      enforcing.again = false;
      enforcing.nextNs = enforcing.limitNs;
      this.#act(enforcing);
      return;
    }
    enforcing.nextNs = nowNs + enforcing.stepNs;
    enforcing.stepNs = earlier(2n * enforcing.stepNs, LINGER_MAX_NS);
  }

  /** The next weaker action takes the place of one that failed. */
  #giveUp(action: EnforcedAction, errno: string | null): void {
    this.#enforcing = null;
    const next = action === 'kill' && this.#episode.hasCgroup ? 'freeze' : 'stop';
    this.news.addFailedAction({ action, errno, next });
    this.#enforce(next);
  }

  #pace(nowNs: bigint): void {
    const periodNs = this.#episode.speedUp ? this.#fastPeriodNs : this.#periodNs;
    if (periodNs !== this.#pacer.periodNs) this.#pacer.setPeriod(periodNs, nowNs);
  }

  #lookForEnd(): void {
    if (this.#episode.ended()) {
      this.#beginSettling(true);
      return;
    }
    const nowNs = this.#clock();
    if (this.#episode.rootGone) this.#lingerFrom(nowNs);
    // Those that outlive the root for long are left to the frames.
    if (this.#linger !== null && this.#linger.stepNs < LINGER_MAX_NS) this.#episode.remember();
    if (this.#linger === null || nowNs < this.#linger.nextNs) return;
    const { stepNs } = this.#linger;
    const twice = 2n * stepNs;
    this.#linger = { nextNs: nowNs + stepNs, stepNs: earlier(twice, LINGER_MAX_NS) };
  }

  #lingerFrom(nowNs: bigint): void {
    this.#linger ??= { nextNs: nowNs + LINGER_FIRST_NS, stepNs: 2n * LINGER_FIRST_NS };
  }

  #beginSettling(exited: boolean): void {
    this.#enforcing = null;
    const changedNs = this.#clock();
    this.#episode.settle();
    this.#settling = {
      nextNs: this.#clock() + SETTLE_INTERVAL_NS,
      changedNs,
      limitNs: changedNs + SETTLE_LIMIT_NS,
      exited,
    };
  }

  #goOnSettling(settling: Settling, nowNs: bigint): void {
    if (nowNs < settling.nextNs) return;
    const readNs = this.#clock();
    if (!this.#episode.settle()) settling.changedNs = readNs;
    settling.nextNs = this.#clock() + SETTLE_INTERVAL_NS;
    const settled = readNs - settling.changedNs >= SETTLE_AGREE_NS;
    if (settled || settling.nextNs > settling.limitNs) {
      this.#finish(settling.exited);
    }
  }

  #finish(exited: boolean): void {
    const outcome = this.#episode.sample(FrameFlag.TERMINAL);
    const words = this.#episode.lastFrame();
    this.#terminal = words;
    this.#published(outcome, this.#clock());
    for (const request of this.#waiting) this.news.addReply({ request, words });
    this.news.end(exited);
    this.#episode.close();
  }
}

function earlier(one: bigint, other: bigint | undefined): bigint {
  return other !== undefined && other < one ? other : one;
}

function isDue(ns: bigint | null | undefined, nowNs: bigint): boolean {
  return ns != null && nowNs >= ns;
}
