/** A session that the engine's sampler samples off the event loop; here the sampler's news become events. */

import type { SampledEpisode, SamplerNews } from '../engine/engine.js';
import { finiteNumber, TelemetryError } from '../error/index.js';
import { frameFromWords } from '../frame/decode.js';
import type { TelemetryFrame } from '../frame/index.js';
import { TelemetryPolicy } from '../policy/index.js';
import { FRAME_WORDS, RingHeader } from '../schema/layout.js';
import { budgetSpec } from './budget-spec.js';
import { END_FLAGS, Session, type SessionOptions, stoppedError } from './session.js';
import { type Tripwire, tripwireSpec } from './tripwire.js';

export interface SampledSessionOptions extends SessionOptions {
  readonly tripwires: readonly Tripwire[];
}

export class SampledSession extends Session {
  readonly #episode: SampledEpisode;
  protected readonly tripwires: readonly Tripwire[];
  /** The resolvers of requested frames, by request. */
  readonly #waiting = new Map<number, (frame: TelemetryFrame | Promise<TelemetryFrame>) => void>();
  #requests = 0;

  /** The initial frame is in the ring, and charged, when this returns. */
  constructor(options: SampledSessionOptions) {
    const { policy, tripwires, budget, baseline, onExhausted } = options;
    super(options, policy.samplePeriodMs);
    this.tripwires = tripwires;
    this.#episode = options.engine.startEpisode(
      {
        ...options.spec,
        ring: this.ring,
        periodNs: nsOf(policy.samplePeriodMs),
        fastPeriodNs: nsOf(policy.effectiveSamplePeriodMs(true)),
        tripwires: tripwires.map((tripwire) => tripwireSpec(tripwire, policy)),
        budget: budget === null ? null : budgetSpec(budget, policy, baseline),
        onExhausted,
        notifyEvery: this.promoteEvery,
      },
      (news) => this.#take(news),
    );
    // The frame to report at the end if another holder of the ring corrupts it.
    this.latest();
  }

  /** Takes one frame now, independent of the period; resolves to the terminal frame if the episode ends first. */
  sampleNow(flags: number): Promise<TelemetryFrame> {
    if (this.finishing) return Promise.reject(stoppedError(this.options.spec.episodeId));
    const request = this.#requests++;
    return new Promise((resolve) => {
      this.#waiting.set(request, resolve);
      this.#episode.setWaiting(true);
      this.#episode.requestFrame(request, flags & ~END_FLAGS);
    });
  }

  /** As `TelemetryHandle.setSamplePeriod`. */
  setSamplePeriod(ms: number): void {
    // A policy would replace undefined by its default.
    finiteNumber('samplePeriodMs', ms);
    const policy = new TelemetryPolicy({ ...this.policy, samplePeriodMs: ms });
    if (this.stopped) throw stoppedError(this.options.spec.episodeId);
    this.#episode.setPeriod(nsOf(ms), nsOf(policy.effectiveSamplePeriodMs(true)));
    // Readers that are not woken poll by this period.
    Atomics.store(new Uint32Array(this.ring), RingHeader.SAMPLE_PERIOD_MS / 4, ms);
  }

  // A request keeps the process alive until it is answered; sampling alone does not.
  protected override end(): void {
    this.#episode.setWaiting(true);
    this.#episode.requestEnd();
  }

  #take(news: SamplerNews): void {
    this.tell(news);
    for (const { request, words } of news.replies) this.#reply(request, words);
    if (news.ended !== null) this.#ended(news.ended);
    else if (news.frames) this.promotePeriodically();
  }

  #reply(request: number, words: BigUint64Array): void {
    const { episodeId } = this.options.spec;
    const halves = new Uint32Array(words.buffer, words.byteOffset, 2 * FRAME_WORDS);
    this.#waiting.get(request)?.(frameFromWords(episodeId, halves, false) as TelemetryFrame);
    this.#waiting.delete(request);
    this.#episode.setWaiting(this.finishing || this.#waiting.size > 0);
  }

  #ended({ exited, failure }: NonNullable<SamplerNews['ended']>): void {
    if (failure !== null) {
      this.emit('warning', new TelemetryError('ERR_ENGINE_UNAVAILABLE', failure));
    }
    for (const resolve of this.#waiting.values()) resolve(this.#terminal());
    this.#waiting.clear();
    this.#episode.setWaiting(false);
    this.conclude({ exited, failed: failure !== null });
  }

  async #terminal(): Promise<TelemetryFrame> {
    return this.newest();
  }
}

function nsOf(ms: number): bigint {
  return BigInt(ms) * 1_000_000n;
}
