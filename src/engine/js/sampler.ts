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
  /** The owner has not taken the last batch. News is coalesced until it does. */
  #untaken = false;
  #timer: NodeJS.Timeout | undefined;
  #whenEmpty: (() => void) | null = null;

  constructor(post: (batch: readonly EpisodeNews[]) => void) {
    this.#post = post;
  }

  /** Samples the episode from now on. `eventsPath` is its `cgroup.events`, or null without a cgroup. */
  add(id: number, episode: SampledEpisode, eventsPath: string | null): void {
    const hint = (): void => this.do(id, () => episode.exitHint());
    const unwatch = eventsPath === null ? () => {} : watchPopulation(eventsPath, hint);
    this.#entries.set(id, { id, episode, unwatch });
    episode.serve = (act) => this.do(id, act);
    // The watch does not report changes between the initial frame and its own start.
    this.do(id, () => {
      if (eventsPath !== null) episode.exitHint();
    });
  }

  /** Runs `action` on an episode unless it has ended, and handles the consequences. */
  do(id: number, action: (episode: SampledEpisode) => void): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    action(entry.episode);
    this.#acted(entry);
    this.#rest();
  }

  /** Requests the end of every episode; calls `done` when the last one has ended. */
  endAll(done: () => void): void {
    this.#whenEmpty = done;
    for (const entry of this.#entries.values()) {
      entry.episode.requestEnd();
      this.#acted(entry);
    }
    this.#rest();
  }

  /** The owner has taken the last batch. */
  taken(): void {
    this.#untaken = false;
    this.#rest();
  }

  readonly #wake = (): void => {
    const nowNs = process.hrtime.bigint();
    for (const entry of this.#wakes.until(nowNs + MAX_PACER_SLACK_NS)) {
      entry.episode.wake(nowNs);
      this.#acted(entry);
    }
    this.#rest();
  };

  #acted(entry: Entry): void {
    const { episode } = entry;
    const { wakeNs } = episode;
    if (episode.news.any) this.#toPost.add(entry);
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
          news: episode.news.take(),
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
    this.#timer = setTimeout(this.#wake, ms);
  }
}
