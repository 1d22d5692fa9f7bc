import { invalidConfig } from '../error/index.js';
import { clampValue } from '../frame/bounds.js';
import { sharedBytesOf } from '../realm/shared-memory.js';
import { BUDGET_MAGIC } from '../schema/bounds.js';
import { BudgetWord, RESOURCES } from '../schema/enumerations.js';

const BYTES = BudgetWord.WORDS * 8;

/** The counters of a budget in shared memory. Any number of threads can add to them; no thread ever waits. */
export class BudgetCounters {
  readonly memory: SharedArrayBuffer;
  readonly #words: BigInt64Array;

  private constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new BigInt64Array(memory, 0, BYTES / 8);
  }

  static create(limits: readonly bigint[], deferred: boolean): BudgetCounters {
    const counters = new BudgetCounters(new SharedArrayBuffer(BYTES));
    const words = counters.#words;
    for (const [i, limit] of limits.entries()) Atomics.store(words, BudgetWord.LIMITS + i, limit);
    Atomics.store(words, BudgetWord.DEFERRED, deferred ? 1n : 0n);
    Atomics.store(words, BudgetWord.MAGIC, BUDGET_MAGIC);
    return counters;
  }

  /** Throws `ERR_INVALID_CONFIG` unless `memory` holds a budget. */
  static attach(memory: unknown): BudgetCounters {
    if ((sharedBytesOf(memory) ?? 0) < BYTES) {
      throw invalidConfig('this is no shared budget');
    }
    const counters = new BudgetCounters(memory as SharedArrayBuffer);
    const words = counters.#words;
    const valid = (word: number) => Atomics.load(words, word) >= 0n;
    if (
      Atomics.load(words, BudgetWord.MAGIC) !== BUDGET_MAGIC ||
      !RESOURCES.every((_, i) => valid(BudgetWord.LIMITS + i) && valid(BudgetWord.CONSUMED + i))
    ) {
      throw invalidConfig('this is no shared budget of this version');
    }
    return counters;
  }

  get deferred(): boolean {
    return Atomics.load(this.#words, BudgetWord.DEFERRED) === 1n;
  }

  /** Returns the limit of the resource at `index`, or null if there is none. */
  limit(index: number): bigint | null {
    const limit = Atomics.load(this.#words, BudgetWord.LIMITS + index);
    return limit > 0n ? limit : null;
  }

  consumed(index: number): bigint {
    return Atomics.load(this.#words, BudgetWord.CONSUMED + index);
  }

  /** Adds `units`, saturating at 2^63 − 1, and returns the previous count. */
  add(index: number, units: bigint): bigint {
    return this.#update(index, (before) => clampValue(before + units));
  }

  /** Subtracts `units`, down to 0. */
  refund(index: number, units: bigint): void {
    this.#update(index, (before) => (before > units ? before - units : 0n));
  }

  /** Adds `units` only if they fit within `limit` and returns null; otherwise returns what remained. */
  addIfFits(index: number, units: bigint, limit: bigint): bigint | null {
    let refused = null as bigint | null;
    this.#update(index, (before) => {
      const remaining = before < limit ? limit - before : 0n;
      refused = units > remaining ? remaining : null;
      return refused === null ? before + units : before;
    });
    return refused;
  }

  // Atomics.add cannot saturate at 2^63 − 1, so this is a compare-and-exchange loop.
  #update(index: number, change: (before: bigint) => bigint): bigint {
    const word = BudgetWord.CONSUMED + index;
    let before = Atomics.load(this.#words, word);
    for (;;) {
      const after = change(before);
      if (after === before) return before;
      const seen = Atomics.compareExchange(this.#words, word, before, after);
      if (seen === before) return before;
      before = seen;
    }
  }
}
