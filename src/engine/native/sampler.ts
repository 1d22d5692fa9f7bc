/** Episodes in the hands of the process's sampler thread. The types of that part of the addon. */

import { nativeEvents } from '../../addon/events.js';
import { loadAddon } from '../../addon/load.js';
import { errnoName } from '../../error/errno-name.js';
import { TelemetryError } from '../../error/index.js';
import { bindRing } from '../../ring/header.js';
import { EXHAUST_ACTIONS, type ExhaustAction, TRIP_METRICS } from '../../schema/enumerations.js';
import type {
  BudgetSpec,
  FailedAction,
  FrameReply,
  SampledEpisode,
  SamplerNews,
  SamplingSpec,
  TripwireSpec,
} from '../engine.js';
import {
  type EpisodeArguments,
  episodeArguments,
  type NativeFailure,
  type NativeHandle,
  type NativeWarning,
  openedEpisode,
  sampleWarning,
} from './binding.js';

interface NativeNews {
  readonly frames: boolean;
  readonly sources: SamplerNews['sources'];
  readonly warnings: readonly NativeWarning[];
  readonly trips: SamplerNews['trips'];
  readonly budgetTrips: SamplerNews['budgetTrips'];
  readonly exhausted: SamplerNews['exhausted'];
  /** Indices of `EXHAUST_ACTIONS`, a raw errno (0: no cgroup). */
  readonly failedActions: readonly {
    readonly action: number;
    readonly errno: number;
    readonly next: number;
  }[];
  readonly replies: readonly FrameReply[];
  /** null until the end. */
  readonly exited: boolean | null;
}

/** What `native/addon/sampler_binding.cc` registers. On an episode whose end was taken everything is a no-op. */
interface SamplerBinding {
  /** null: the ring's header is not one of ours. A number: the errno that kept the thread from starting. */
  startEpisode(
    ...args: [
      ...episode: EpisodeArguments,
      periodNs: bigint,
      fastPeriodNs: bigint,
      notifyEvery: number,
      tripwires: BigUint64Array,
      anchorNs: bigint,
      id: number,
      onExhausted: number,
      budget: Uint8Array | null,
      budgetSettings: BigUint64Array,
    ]
  ): NativeHandle | NativeFailure | number | null;
  requestFrame(episode: NativeHandle, request: number, flags: number): void;
  requestEnd(episode: NativeHandle): void;
  setTripwires(episode: NativeHandle, tripwires: BigUint64Array): void;
  setPeriod(episode: NativeHandle, periodNs: bigint, fastPeriodNs: bigint): void;
  /** What there is to tell since the last call; null after the end was taken. */
  takeNews(episode: NativeHandle): NativeNews | null;
}

/** Throws the codes of a failed open, `ERR_RING_…`, and `ERR_ENGINE_UNAVAILABLE` where the thread does not start. */
export function startNativeEpisode(
  spec: SamplingSpec,
  onNews: (news: SamplerNews) => void,
): SampledEpisode {
  return new NativeSampledEpisode(loadAddon().addon as SamplerBinding & object, spec, onNews);
}

/** While it runs, its listener in the events holds it: an episode that nobody holds goes on, like a child process. */
class NativeSampledEpisode implements SampledEpisode {
  readonly #binding: SamplerBinding;
  readonly #episode: NativeHandle;
  readonly #onNews: (news: SamplerNews) => void;
  readonly #id: number;
  #waiting = false;
  #ended = false;

  constructor(binding: SamplerBinding, spec: SamplingSpec, onNews: (news: SamplerNews) => void) {
    const events = nativeEvents();
    this.#binding = binding;
    this.#onNews = onNews;
    this.#id = events.add(() => this.#takeNews());
    try {
      const started = binding.startEpisode(
        ...episodeArguments(spec),
        spec.periodNs,
        spec.fastPeriodNs,
        spec.notifyEvery,
        wordsOf(spec.tripwires),
        // The deadlines count from the start of the session.
        bindRing(spec.ring).shape.startMonoNs,
        this.#id,
        EXHAUST_ACTIONS.indexOf(spec.onExhausted),
        spec.budget === null ? null : new Uint8Array(spec.budget.memory),
        settingsOf(spec.budget),
      );
      if (typeof started === 'number') throw noThread(started);
      this.#episode = openedEpisode(started, spec);
    } catch (error) {
      events.remove(this.#id);
      throw error;
    }
  }

  requestFrame(request: number, flags: number): void {
    this.#binding.requestFrame(this.#episode, request, flags);
  }

  requestEnd(): void {
    this.#binding.requestEnd(this.#episode);
  }

  setTripwires(tripwires: readonly TripwireSpec[]): void {
    this.#binding.setTripwires(this.#episode, wordsOf(tripwires));
  }

  setPeriod(periodNs: bigint, fastPeriodNs: bigint): void {
    this.#binding.setPeriod(this.#episode, periodNs, fastPeriodNs);
  }

  setWaiting(waiting: boolean): void {
    if (this.#ended || waiting === this.#waiting) return;
    this.#waiting = waiting;
    if (waiting) nativeEvents().hold();
    else nativeEvents().release();
  }

  #takeNews(): void {
    const news = this.#binding.takeNews(this.#episode);
    if (news === null) return;
    const { exited, frames, sources, trips, budgetTrips, exhausted, replies } = news;
    if (exited !== null) {
      nativeEvents().remove(this.#id);
      this.setWaiting(false);
      this.#ended = true;
    }
    this.#onNews({
      frames,
      sources,
      trips,
      budgetTrips,
      exhausted,
      failedActions: news.failedActions.map(failedAction),
      replies,
      warnings: news.warnings.map(sampleWarning),
      ended: exited === null ? null : { exited, failure: null },
    });
  }
}

/** Four words a tripwire, as `tripwires_of` in sampler_binding.cc takes them. */
function wordsOf(tripwires: readonly TripwireSpec[]): BigUint64Array {
  return BigUint64Array.from(
    tripwires.flatMap(({ metric, actions, threshold, release }) => [
      BigInt(TRIP_METRICS.indexOf(metric)),
      BigInt(actions),
      threshold,
      release,
    ]),
  );
}

/** As `watch_budget` in sampler_binding.cc takes them. */
function settingsOf(budget: BudgetSpec | null): BigUint64Array {
  if (budget === null) return new BigUint64Array(0);
  const { baseline, speedUp, thresholds, releases } = budget;
  const flags = [baseline === 'zero' ? 1n : 0n, speedUp ? 1n : 0n];
  return BigUint64Array.from([...flags, ...thresholds, ...releases]);
}

function failedAction({ action, errno, next }: NativeNews['failedActions'][number]): FailedAction {
  return {
    action: EXHAUST_ACTIONS[action] as ExhaustAction,
    errno: errno === 0 ? null : errnoName(errno),
    next: EXHAUST_ACTIONS[next] as ExhaustAction,
  };
}

function noThread(errno: number): TelemetryError {
  const name = errnoName(errno);
  return new TelemetryError(
    'ERR_ENGINE_UNAVAILABLE',
    `the sampler thread of the native engine does not start (${name})`,
    { errno: name },
  );
}
