/**
 * Samples any number of episodes on the event loop of its thread, with one timer for all deadlines. Runs in the worker
 * of `sampler-worker.ts`.
 */

import { MAX_PACER_SLACK_NS } from '../../schema/bounds.js';
import { watchPopulation } from './population-watch.js';
import type { SampledEpisode } from './sampled-episode.js';
import type { EpisodeNews } from './sampler-messages.js';
import { WakeHeap } from './wake-heap.js';

const NS_PER_MS = 1_000_000n;

interface Entry {
  readonly id: number;
  readonly episode: SampledEpisode;
  readonly unwatch: () => void;
}

export class Sampler {
  readonly #post: (batch: readonly EpisodeNews[]) => void;
  readonly #entries = new Map<number, Entry>();
  readonly #wakes = new WakeHeap<Entry>();
  readonly #toPost = new Set<Entry>();
  /** Whether the owner has not taken the last batch yet. News is coalesced until it does. */
  #untaken = false;
  #timer: NodeJS.Timeout | undefined;
  #whenEmpty: (() => void) | null = null;

  constructor(post: (batch: readonly EpisodeNews[]) => void) {
    this.#post = post;
  }

  /** Samples the episode from now on. `eventsPath` is its `cgroup.events`, or null without a cgroup. */
  add(id: number, episode: SampledEpisode, eventsPath: string | null): void {
    const hint = (): void => this.serve(id, () => episode.exitHint());
    const unwatch = eventsPath === null ? () => {} : watchPopulation(eventsPath, hint);
    this.#entries.set(id, { id, episode, unwatch });
    episode.onPost = () => this.serve(id);
    // The watch does not report changes between the initial frame and its own start.
    if (eventsPath !== null) hint();
    else this.serve(id);
  }

  /** Passes a request to an episode, unless it has ended, and wakes it. */
  serve(id: number, ask: (episode: SampledEpisode) => void = () => {}): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    ask(entry.episode);
    this.#wake(entry, process.hrtime.bigint());
    this.#rest();
  }

  /** Requests the end of every episode; calls `done` when the last one has ended. */
  endAll(done: () => void): void {
    this.#whenEmpty = done;
    for (const entry of this.#entries.values()) {
      entry.episode.requestEnd();
      this.#wake(entry, process.hrtime.bigint());
    }
    this.#rest();
  }

  /** Must be called when the owner has taken the last batch. */
  taken(): void {
    this.#untaken = false;
    this.#rest();
  }

  readonly #wakeDue = (): void => {
    const nowNs = process.hrtime.bigint();
    for (const entry of this.#wakes.until(nowNs + MAX_PACER_SLACK_NS)) this.#wake(entry, nowNs);
    this.#rest();
  };

  #wake(entry: Entry, nowNs: bigint): void {
    const { episode } = entry;
    episode.wake(nowNs);
    const { wakeNs } = episode;
    if (episode.hasNews) this.#toPost.add(entry);
    if (wakeNs !== null) {
      this.#wakes.set(entry, wakeNs);
      return;
    }
    this.#wakes.delete(entry);
    this.#entries.delete(entry.id);
    entry.unwatch();
  }

  #rest(): void {
    if (this.#entries.size === 0) this.#whenEmpty?.();
    if (!this.#untaken && this.#toPost.size > 0) {
      this.#untaken = true;
      this.#post(
        [...this.#toPost].map(({ id, episode }) => ({
          id,
          news: episode.takeNews(),
          terminal: episode.terminal,
        })),
      );
      this.#toPost.clear();
    }
    this.#arm();
  }

  // A timer counts whole milliseconds from the loop's cached time. If it fires early, it is armed again.
  #arm(): void {
    clearTimeout(this.#timer);
    const { firstNs } = this.#wakes;
    if (firstNs === null) return;
    const aheadNs = firstNs - process.hrtime.bigint();
    const ms = aheadNs > 0n ? Number((aheadNs + NS_PER_MS - 1n) / NS_PER_MS) : 0;
    this.#timer = setTimeout(this.#wakeDue, ms);
  }
}
