/**
 * The deadlines of one episode: anchor + k × period on CLOCK_MONOTONIC. They are absolute, so they do not drift
 * however long a sample takes. The twin of `native/core/pacer.h`; both run `test/tables/pacer.txt`.
 */

import { MAX_PACER_SLACK_NS, PACER_SLACK_SHARE } from '../../schema/bounds.js';

const MAX_MISSED = 2 ** 32 - 1;

export class Pacer {
  /** The last deadline that was served or missed; initially the anchor. */
  #lastNs = 0n;
  #deadlineNs = 0n;
  #periodNs = 1n;
  #missed = 0;

  /** Starts at `nowNs`, after the first frame was taken. The first deadline is the first one after that. */
  start(anchorNs: bigint, periodNs: bigint, nowNs: bigint): void {
    this.#periodNs = periodNs;
    this.#missed = 0;
    this.#goOnFrom(anchorNs, nowNs);
  }

  get deadlineNs(): bigint {
    return this.#deadlineNs;
  }

  get periodNs(): bigint {
    return this.#periodNs;
  }

  /** Number of deadlines that passed without a sample. */
  get missed(): number {
    return this.#missed;
  }

  /**
   * Whether a wake at `nowNs` serves the deadline: it has passed or is within the slack, which is 1/64 of the period
   * and at most 1 ms. The slack lets one wake serve several episodes that are due at about the same time.
   */
  due(nowNs: bigint): boolean {
    const share = this.#periodNs / BigInt(PACER_SLACK_SHARE);
    const slack = share < MAX_PACER_SLACK_NS ? share : MAX_PACER_SLACK_NS;
    return nowNs + slack >= this.#deadlineNs;
  }

  /**
   * Records at `nowNs` that the deadline was served. The next deadline is the first one in the future. Deadlines that
   * passed in the meantime are missed; they are not made up for.
   */
  served(nowNs: bigint): void {
    this.#goOnFrom(this.#deadlineNs, nowNs);
  }

  /**
   * Changes the period, counted from the last deadline. If the next deadline would have passed already, it is due at
   * once. The change itself misses no deadline.
   */
  setPeriod(periodNs: bigint, nowNs: bigint): void {
    this.#periodNs = periodNs;
    const passed = (nowNs - this.#lastNs) / periodNs;
    this.#deadlineNs = this.#lastNs + (passed > 1n ? passed : 1n) * periodNs;
  }

  #goOnFrom(deadlineNs: bigint, nowNs: bigint): void {
    const passed = nowNs > deadlineNs ? (nowNs - deadlineNs) / this.#periodNs : 0n;
    this.#missed = Math.min(this.#missed + Number(passed), MAX_MISSED);
    this.#lastNs = deadlineNs + passed * this.#periodNs;
    this.#deadlineNs = this.#lastNs + this.#periodNs;
  }
}
