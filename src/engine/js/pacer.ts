/**
 * The absolute deadlines of one episode: anchor + k × period on CLOCK_MONOTONIC, whatever a sample costs, so that
 * they never drift. The twin of `native/core/pacer.h`; both run `test/tables/pacer.txt`.
 */

import { MAX_PACER_SLACK_NS, PACER_SLACK_SHARE } from '../../schema/bounds.js';

const MAX_MISSED = 2 ** 32 - 1;

export class Pacer {
  /** The last deadline that was served or passed, else the anchor. */
  #lastNs = 0n;
  #deadlineNs = 0n;
  #periodNs = 1n;
  #missed = 0;

  /** It is `nowNs`, and the first frame was taken: the first deadline is the first one after that. */
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

  /** Deadlines that passed without a sample of their own. */
  get missed(): number {
    return this.#missed;
  }

  /**
   * Whether a wake at `nowNs` serves the deadline: it has come, or comes within the slack, a 64th of the period and
   * at most 1 ms. One wake so serves what is due at about the same time.
   */
  due(nowNs: bigint): boolean {
    const share = this.#periodNs / BigInt(PACER_SLACK_SHARE);
    const slack = share < MAX_PACER_SLACK_NS ? share : MAX_PACER_SLACK_NS;
    return nowNs + slack >= this.#deadlineNs;
  }

  /**
   * The deadline was served, and it is `nowNs` after it: the next is the first one in the future. Those that passed
   * meanwhile are missed, never made up for.
   */
  served(nowNs: bigint): void {
    this.#goOnFrom(this.#deadlineNs, nowNs);
  }

  /**
   * Another period, counted from the last deadline; a next deadline that would have passed is due at once. Nothing
   * is missed by it.
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
