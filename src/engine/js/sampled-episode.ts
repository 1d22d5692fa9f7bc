/**
 * One episode as the sampler runs it: serves the owner's requests and what is due, and ends the episode once. The
 * decisions are made in `mailbox.ts`, `pacing.ts`, `enforcer.ts` and `settler.ts`. The twin of
 * `native/core/sampled_episode.h`; both run `test/tables/sampled-episode.txt`.
 */
import { SAMPLE_HOLD_IF_ENDED } from '../../schema/bounds.js';
import { type ExhaustAction, SampleOutcome } from '../../schema/enumerations.js';
import { FrameFlag } from '../../schema/layout.js';
import type { SamplerNews, SamplingSpec, TripwireSpec } from '../engine.js';
import type { DrivenEpisode } from './driven-episode.js';
import { type Enforced, Enforcer } from './enforcer.js';
import { type FrameRequest, Mailbox } from './mailbox.js';
import { Pacing } from './pacing.js';
import { Settler } from './settler.js';

/** The requests of one owner delay other episodes by no more than this many frames. */
const MAX_FRAMES_AT_ONCE = 16;

/** These two mark the ends of a session, and only this class sets them. */
const END_FLAGS = FrameFlag.INITIAL | FrameFlag.TERMINAL;

export interface Sampling
  extends Pick<
    SamplingSpec,
    'periodNs' | 'fastPeriodNs' | 'tripwires' | 'onExhausted' | 'notifyEvery'
  > {
  /** The deadlines count from here. */
  readonly anchorNs: bigint;
  /**
   * The owner drives the episode on its own thread: no initial frame, no deadlines, no search for the end. Frames are
   * taken by `sample` and `publish`, and `wake` brings it to its end.
   */
  readonly byHand?: boolean;
}

/** All times are CLOCK_MONOTONIC. Requests are served by the next `wake`. */
export class SampledEpisode {
  /** Called if it must be woken soon, because an action on its processes is done. */
  onPost: () => void = () => {};
  readonly #episode: DrivenEpisode;
  readonly #onExhausted: ExhaustAction;
  readonly #clock: () => bigint;
  readonly #mailbox: Mailbox;
  readonly #pacing: Pacing;
  readonly #enforcer: Enforcer;
  readonly #settler: Settler;
  #phase: 'sampling' | 'settling' | 'over' = 'sampling';
  readonly #byHand: boolean;
  /** INITIAL until the first frame has been taken by hand. */
  #firstFlag = 0;
  /** A limit was reached, and no action has been taken yet. */
  #exhausted = false;
  #endAsked = false;

  /** `episode` must be open. Takes the initial frame. */
  constructor(episode: DrivenEpisode, sampling: Sampling, clock: () => bigint) {
    this.#episode = episode;
    this.#onExhausted = sampling.onExhausted;
    this.#byHand = sampling.byHand === true;
    this.#clock = clock;
    this.#mailbox = new Mailbox(sampling.notifyEvery);
    this.#pacing = new Pacing({ baseNs: sampling.periodNs, fastNs: sampling.fastPeriodNs });
    this.#enforcer = new Enforcer(episode, this.#mailbox, clock, (result) => {
      this.#mailbox.actionDone(result);
      this.onPost();
    });
    this.#settler = new Settler(episode, clock);
    episode.setTripwires(sampling.tripwires);
    if (this.#byHand) {
      this.#firstFlag = FrameFlag.INITIAL;
      return;
    }
    const outcome = this.#noteFrame(episode.sample(FrameFlag.INITIAL));
    const nowNs = clock();
    this.#pacing.start(sampling.anchorNs, nowNs);
    this.#pace(nowNs);
    if ((outcome & SampleOutcome.ENDED) !== 0) this.#beginSettling(true);
    else this.#settler.lingerIfRootIsGone();
  }

  /** For an episode that is driven by hand. Returns `SampleOutcome` bits, or ENDED once settling has begun. */
  sample(flags: number): number {
    return this.#sampling
      ? this.#noteFrame(this.#episode.sample(this.#byHandFlags(flags)))
      : SampleOutcome.ENDED;
  }

  /** Like `sample`, with the given words. */
  publish(words: BigUint64Array, flags: number): number {
    return this.#sampling
      ? this.#noteFrame(this.#episode.publish(words, this.#byHandFlags(flags)))
      : SampleOutcome.ENDED;
  }

  #byHandFlags(flags: number): number {
    const first = this.#firstFlag;
    this.#firstFlag = 0;
    return (flags & ~END_FLAGS) | first;
  }

  /** Requests one frame now, or the terminal frame if the episode has ended. */
  requestFrame(request: number, flags: number): void {
    this.#mailbox.requestFrame(request, flags & ~END_FLAGS);
  }

  requestEnd(): void {
    this.#mailbox.requestEnd();
  }

  requestTripwires(tripwires: readonly TripwireSpec[]): void {
    this.#mailbox.requestTripwires(tripwires);
  }

  requestPeriod(periodNs: bigint, fastPeriodNs: bigint): void {
    this.#mailbox.requestPeriods({ baseNs: periodNs, fastNs: fastPeriodNs });
  }

  get hasNews(): boolean {
    return this.#mailbox.hasNews;
  }

  takeNews(): SamplerNews {
    return this.#mailbox.takeNews();
  }

  /** Whether the terminal frame is out. */
  get over(): boolean {
    return this.#phase === 'over';
  }

  /** Slot words of the terminal frame; null until it is out. */
  get terminal(): BigUint64Array | null {
    return this.over ? this.#episode.lastFrame() : null;
  }

  /** When the episode must be woken next; null if it is over. */
  get wakeNs(): bigint | null {
    if (this.over) return null;
    if (this.#mailbox.hasFramesLeft || (this.#sampling && this.#exhausted)) return 0n;
    if (!this.#sampling) return this.#settler.dueNs;
    if (this.#byHand) return this.#enforcer.lookNs;
    return [this.#settler.lingerDueNs, this.#enforcer.lookNs, this.#episode.wallDueNs].reduce(
      (first: bigint, ns) => (ns !== null && ns < first ? ns : first),
      this.#pacing.deadlineNs,
    );
  }

  /** Serves requests and what is due. If many frames are requested, it serves some of them and is due again at once. */
  wake(nowNs: bigint): void {
    if (this.over) return;
    this.#serveRequests();
    if (this.#scheduled && this.#pacing.due(nowNs)) this.#sampleDeadline();
    if (this.#scheduled && isDue(this.#episode.wallDueNs, nowNs)) this.#sampleOffSchedule();
    if (this.#sampling && this.#exhausted) {
      this.#exhausted = false;
      this.#follow(this.#enforcer.begin(this.#onExhausted));
    }
    if (this.#sampling && isDue(this.#enforcer.lookNs, nowNs)) this.#follow(this.#enforcer.look());
    if (this.#scheduled && isDue(this.#settler.lingerDueNs, nowNs)) this.#lookForEnd();
    this.#serveEnd();
    if (this.#phase === 'settling' && isDue(this.#settler.dueNs, nowNs) && this.#settler.settle()) {
      this.#finish(this.#settler.exited);
    }
  }

  /** Must be called when its cgroup's population may have changed. */
  exitHint(): void {
    if (!this.#sampling) return;
    if (this.#enforcer.told) this.#follow(this.#enforcer.look());
    if (this.#sampling) this.#lookForEnd();
    this.#serveEnd();
  }

  get #sampling(): boolean {
    return this.#phase === 'sampling';
  }

  get #scheduled(): boolean {
    return this.#sampling && !this.#byHand;
  }

  #serveRequests(): void {
    const { tripwires, periods, actionResult, end } = this.#mailbox.takeRequests();
    if (tripwires !== undefined) this.#episode.setTripwires(tripwires);
    if (periods !== undefined) this.#pacing.setPeriods(periods);
    if (tripwires !== undefined || periods !== undefined) this.#pace(this.#clock());
    if (end === true) this.#endAsked = true;
    if (actionResult !== undefined && this.#sampling) {
      this.#follow(this.#enforcer.actionDone(actionResult));
    }
    for (let i = 0; i < MAX_FRAMES_AT_ONCE; i++) {
      const request = this.#mailbox.nextFrame();
      if (request === undefined) break;
      this.#serveFrame(request);
    }
  }

  #serveFrame({ request, flags }: FrameRequest): void {
    const outcome = this.#sampling
      ? this.#episode.sample(flags | SAMPLE_HOLD_IF_ENDED)
      : SampleOutcome.ENDED;
    if ((outcome & SampleOutcome.ENDED) !== 0) {
      this.#mailbox.holdUntilEnd(request);
      if (this.#sampling) this.#beginSettling(true);
      return;
    }
    this.#mailbox.reply(request, this.#episode.lastFrame());
    this.#afterSample(outcome, this.#clock());
  }

  /** The terminal frame comes after the requested frames, and after an action that is in progress. */
  #serveEnd(): void {
    if (!this.#endAsked || !this.#sampling) return;
    if (this.#mailbox.hasFramesLeft || this.#enforcer.active) return;
    if (this.#episode.ended()) this.#beginSettling(true);
    else this.#finish(false);
  }

  #sampleDeadline(): void {
    const outcome = this.#episode.sample(SAMPLE_HOLD_IF_ENDED);
    const nowNs = this.#clock();
    this.#pacing.served(nowNs);
    this.#afterSample(outcome, nowNs);
  }

  /** Takes one frame without a deadline; the deadlines stay as they are. */
  #sampleOffSchedule(): void {
    const outcome = this.#episode.sample(SAMPLE_HOLD_IF_ENDED);
    this.#afterSample(outcome, this.#clock());
  }

  #afterSample(outcome: number, nowNs: bigint): void {
    this.#pace(nowNs);
    if ((outcome & SampleOutcome.ENDED) !== 0) {
      this.#beginSettling(true);
      return;
    }
    this.#noteFrame(outcome);
    this.#settler.lingerIfRootIsGone();
  }

  #noteFrame(outcome: number): number {
    this.#mailbox.note(outcome, this.#episode);
    if ((outcome & SampleOutcome.EXHAUSTED) !== 0) this.#exhausted = true;
    return outcome;
  }

  /** Changes the period if the tripwires or the owner require it, and stores the missed deadlines. */
  #pace(nowNs: bigint): void {
    this.#pacing.pace(this.#episode.speedUp, nowNs);
    this.#episode.setDeadlinesMissed(this.#pacing.missed);
  }

  #follow(enforced: Enforced): void {
    if (enforced === 'done') this.#beginSettling(this.#episode.ended());
    if (enforced === 'givenUp') this.#endAsked = true;
  }

  #lookForEnd(): void {
    if (this.#settler.lookForEnd()) this.#beginSettling(true);
  }

  #beginSettling(exited: boolean): void {
    this.#phase = 'settling';
    this.#settler.begin(exited);
  }

  /** Takes the terminal frame. Nothing comes after it. */
  #finish(exited: boolean): void {
    this.#phase = 'over';
    this.#noteFrame(this.#episode.sample(FrameFlag.TERMINAL | this.#firstFlag));
    this.#mailbox.end(exited, this.#episode.lastFrame());
    this.#episode.close();
  }
}

function isDue(ns: bigint | null, nowNs: bigint): boolean {
  return ns !== null && nowNs >= ns;
}
