/** When an episode is sampled: its deadlines, at the usual or the fast period. The twin of `native/core/pacing.h`. */
import type { Periods } from './mailbox.js';
import { Pacer } from './pacer.js';

export class Pacing {
  #periods: Periods;
  readonly #pacer = new Pacer();

  constructor(periods: Periods) {
    this.#periods = periods;
  }

  /** Starts at `nowNs`, after the first frame was taken; see `Pacer.start`. */
  start(anchorNs: bigint, nowNs: bigint): void {
    this.#pacer.start(anchorNs, this.#periods.baseNs, nowNs);
  }

  /** Takes effect with the next `pace`. */
  setPeriods(periods: Periods): void {
    this.#periods = periods;
  }

  /** Switches to the usual or the fast period, counted from the last deadline. */
  pace(speedUp: boolean, nowNs: bigint): void {
    const periodNs = speedUp ? this.#periods.fastNs : this.#periods.baseNs;
    if (periodNs !== this.#pacer.periodNs) this.#pacer.setPeriod(periodNs, nowNs);
  }

  served(nowNs: bigint): void {
    this.#pacer.served(nowNs);
  }

  due(nowNs: bigint): boolean {
    return this.#pacer.due(nowNs);
  }

  get deadlineNs(): bigint {
    return this.#pacer.deadlineNs;
  }

  get missed(): number {
    return this.#pacer.missed;
  }
}
