import type { BudgetTracker } from '../budget/index.js';
import { RESOURCES } from '../budget/resources.js';
import type { TelemetryFrame } from '../frame/index.js';
import type { ExhaustedEvent } from './events.js';

/**
 * Charges a budget with what each frame consumed since the one before (CTR-TL01). Frames' counters never go
 * back and continue across a change of source, so that nothing is charged twice or negatively.
 */
export class BudgetCharger {
  readonly #budget: BudgetTracker;
  /** What is charged already; null: the next frame's value is where charging begins. */
  #cpuNs: number | null;
  #bytesIo: number | null;

  /** `baseline` `'zero'` charges all that the episode consumed so far with the first frame, `'now'` none of it. */
  constructor(budget: BudgetTracker, baseline: 'zero' | 'now') {
    this.#budget = budget;
    this.#cpuNs = this.#bytesIo = baseline === 'zero' ? 0 : null;
  }

  /** Charges the frame; the event if a limit is reached. What it consumed is recorded in any case. */
  charge(frame: TelemetryFrame): ExhaustedEvent | null {
    const { cpuNs, ioReadBytes, ioWriteBytes } = frame;
    const bytesIo =
      ioReadBytes === null || ioWriteBytes === null ? null : ioReadBytes + ioWriteBytes;
    const error = this.#budget.tryChargeNs({
      cpuNs: BigInt(increase(this.#cpuNs, cpuNs)),
      bytesIo: BigInt(increase(this.#bytesIo, bytesIo)),
    });
    this.#cpuNs = cpuNs ?? this.#cpuNs;
    this.#bytesIo = bytesIo ?? this.#bytesIo;
    // A total that lands exactly on its limit fits, and leaves nothing to go on with.
    const resource = error?.resource ?? RESOURCES.find((each) => this.#budget.isExhausted(each));
    if (resource === undefined) return null;
    return {
      resource,
      limit: this.#budget.limits[resource],
      consumed: this.#budget.consumed()[resource],
      seq: frame.seq,
    };
  }
}

function increase(charged: number | null, value: number | null): number {
  return charged === null || value === null ? 0 : value - charged;
}
