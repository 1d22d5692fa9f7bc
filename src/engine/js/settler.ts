/**
 * Detects the end of an episode whose root has exited, and reads its counters until they are the final totals.
 * The twin of `native/core/settler.h`.
 */
import {
  LINGER_FIRST_NS,
  LINGER_MAX_NS,
  SETTLE_AGREE_NS,
  SETTLE_INTERVAL_NS,
  SETTLE_LIMIT_NS,
} from '../../schema/bounds.js';
import type { DrivenEpisode } from './driven-episode.js';

export class Settler {
  readonly #episode: DrivenEpisode;
  readonly #clock: () => bigint;
  #lingerDueNs: bigint | null = null;
  #lingerDelayNs = LINGER_FIRST_NS;
  #exited = false;
  #limitNs = 0n;
  #changedNs = 0n;
  #dueNs = 0n;

  constructor(episode: DrivenEpisode, clock: () => bigint) {
    this.#episode = episode;
    this.#clock = clock;
  }

  /**
   * An episode whose root is gone may go on because of survivors or the kernel's last accounting. Its end may not be
   * reported in time: `cgroup.events` is rate-limited, and without a cgroup there are no events. So from now on it is
   * checked at growing intervals.
   */
  lingerIfRootIsGone(): void {
    if (this.#lingerDueNs !== null || !this.#episode.rootGone) return;
    this.#lingerDueNs = this.#clock() + this.#lingerDelayNs;
  }

  /** When to check for the end next; null while the root is alive. */
  get lingerDueNs(): bigint | null {
    return this.#lingerDueNs;
  }

  /** Checks for the end. Returns true if the episode has ended. */
  lookForEnd(): boolean {
    if (this.#episode.ended()) return true;
    this.lingerIfRootIsGone();
    if (this.#lingerDueNs === null) return false;
    // A cgroup is removed soon after its root's exit, or so much later that the frames already have its totals. The
    // interval is compared before it grows: an extra read costs less than lost totals.
    if (this.#lingerDelayNs < LINGER_MAX_NS) this.#episode.remember();
    const nowNs = this.#clock();
    if (this.#lingerDueNs > nowNs) return false;
    const twice = 2n * this.#lingerDelayNs;
    this.#lingerDelayNs = twice < LINGER_MAX_NS ? twice : LINGER_MAX_NS;
    this.#lingerDueNs = nowNs + this.#lingerDelayNs;
    return false;
  }

  /**
   * Begins to settle. The last accounting of a dying task may follow the end that was seen, with the next tick of a cpu
   * that still runs it, so the counters are read until they stay equal for two ticks. But systemd removes its scope
   * within 20 ms of the end. `exited`: the episode ended by itself.
   */
  begin(exited: boolean): void {
    this.#exited = exited;
    this.#changedNs = this.#clock();
    this.#limitNs = this.#changedNs + SETTLE_LIMIT_NS;
    this.#episode.settle();
    this.#dueNs = this.#clock() + SETTLE_INTERVAL_NS;
  }

  get exited(): boolean {
    return this.#exited;
  }

  /** When to read the counters next. */
  get dueNs(): bigint {
    return this.#dueNs;
  }

  /** Reads the counters. Returns true once they are settled. */
  settle(): boolean {
    const nowNs = this.#clock();
    if (!this.#episode.settle()) this.#changedNs = nowNs;
    this.#dueNs = this.#clock() + SETTLE_INTERVAL_NS;
    return nowNs - this.#changedNs >= SETTLE_AGREE_NS || this.#dueNs > this.#limitNs;
  }
}
