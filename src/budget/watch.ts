/**
 * Charges a budget with what an episode consumes, frame by frame, and reports when a threshold or a limit is reached.
 * The twin of `native/core/budget_watch.h`; both run `test/tables/budget.txt`.
 */
import { RESOURCES } from '../schema/enumerations.js';
import type { BudgetCounters } from './counters.js';

const CPU = RESOURCES.indexOf('cpuMs');
const IO = RESOURCES.indexOf('ioBytes');
const WALL = RESOURCES.indexOf('wallMs');

/** Above the maximum of any counter: never trips. */
export const NO_THRESHOLD = (1n << 64n) - 1n;

/** The settings of a watch. Arrays have a value per resource, indexed as `RESOURCES`, in counted units. */
export interface WatchSettings {
  /** `'zero'` charges all that the episode consumed so far with the first frame; `'now'` charges none of it. */
  readonly baseline: 'zero' | 'now';
  /** CLOCK_MONOTONIC, ns, at the start of the session: wall time counts from there. */
  readonly startNs: bigint;
  /** A threshold trips at this value or above; `NO_THRESHOLD` never trips. */
  readonly thresholds: readonly bigint[];
  /** A threshold is released below this value. */
  readonly releases: readonly bigint[];
}

/** The totals of one frame; null for those it does not have. */
export interface BudgetSample {
  readonly seq: number;
  /** CLOCK_MONOTONIC, ns. */
  readonly tsNs: bigint;
  readonly cpuNs: bigint | null;
  readonly ioBytes: bigint | null;
}

/** A threshold that was reached. `resource` is an index of `RESOURCES`; amounts are in counted units. */
export interface BudgetTrip {
  readonly resource: number;
  readonly limit: bigint;
  readonly consumed: bigint;
  readonly seq: number;
}

/** The limit that was reached first. */
export interface Exhaustion extends BudgetTrip {
  readonly tsNs: bigint;
  /** The limit was reached at most this long before the frame; null if the first frame reached it. */
  readonly lateNs: bigint | null;
}

export class BudgetWatch {
  readonly #counters: BudgetCounters;
  readonly #settings: WatchSettings;
  /** The totals that are already charged; null if charging begins at the next value. */
  #cpuNs: bigint | null;
  #ioBytes: bigint | null;
  #wallNs = 0n;
  #lastNs: bigint | null = null;
  readonly #tripped = RESOURCES.map(() => false);
  #trips: BudgetTrip[] = [];
  #exhaustion: Exhaustion | null = null;

  constructor(counters: BudgetCounters, settings: WatchSettings) {
    this.#counters = counters;
    this.#settings = settings;
    this.#cpuNs = this.#ioBytes = settings.baseline === 'zero' ? 0n : null;
  }

  /**
   * Charges what was consumed since the previous call, never twice and never a negative amount. Returns true if a
   * threshold was reached or released.
   */
  look(sample: BudgetSample): boolean {
    const counters = this.#counters;
    this.#cpuNs = this.#charge(CPU, this.#cpuNs, sample.cpuNs);
    this.#ioBytes = this.#charge(IO, this.#ioBytes, sample.ioBytes);
    if (counters.limit(WALL) !== null) this.#chargeWall(sample.tsNs);

    let changed = false;
    for (let resource = 0; resource < RESOURCES.length; resource++) {
      const limit = counters.limit(resource);
      if (limit === null) continue;
      const consumed = counters.consumed(resource);
      if (this.#lookAtThreshold(resource, consumed)) {
        changed = true;
        if (this.#tripped[resource]) {
          this.#trips.push({ resource, limit, consumed, seq: sample.seq });
        }
      }
      // A total that equals its limit still fits, but nothing remains, so the budget is exhausted.
      if (consumed >= limit)
        this.#exhaustion ??= this.#exhausted(resource, limit, consumed, sample);
    }
    this.#lastNs = sample.tsNs;
    return changed;
  }

  /** Whether a threshold is reached and not released. */
  get anyTripped(): boolean {
    return this.#tripped.includes(true);
  }

  /** The limit that was reached first; null if none has been. */
  get exhaustion(): Exhaustion | null {
    return this.#exhaustion;
  }

  /**
   * When the wall time limit will be reached, unless wall time is also charged elsewhere. null if there is no such
   * limit, or once any limit has been reached.
   */
  get wallDueNs(): bigint | null {
    const limit = this.#counters.limit(WALL);
    if (limit === null || this.#exhaustion !== null || this.#lastNs === null) return null;
    const consumed = this.#counters.consumed(WALL);
    return this.#lastNs + (limit > consumed ? limit - consumed : 0n);
  }

  /** Returns the thresholds that were reached since the last call. */
  takeTrips(): BudgetTrip[] {
    return this.#trips.splice(0);
  }

  /** Returns the total that has been charged afterwards. */
  #charge(resource: number, charged: bigint | null, total: bigint | null): bigint | null {
    if (total === null || charged === null) return charged ?? total;
    if (total <= charged) return charged;
    this.#counters.add(resource, total - charged);
    return total;
  }

  #chargeWall(nowNs: bigint): void {
    const wallNs = nowNs > this.#settings.startNs ? nowNs - this.#settings.startNs : 0n;
    if (wallNs <= this.#wallNs) return;
    this.#counters.add(WALL, wallNs - this.#wallNs);
    this.#wallNs = wallNs;
  }

  #lookAtThreshold(resource: number, consumed: bigint): boolean {
    const { thresholds, releases } = this.#settings;
    const before = this.#tripped[resource] === true;
    const bound = (before ? releases[resource] : thresholds[resource]) ?? NO_THRESHOLD;
    this.#tripped[resource] = consumed >= bound;
    return this.#tripped[resource] !== before;
  }

  #exhausted(
    resource: number,
    limit: bigint,
    consumed: bigint,
    { seq, tsNs }: BudgetSample,
  ): Exhaustion {
    let lateNs = this.#lastNs === null ? null : tsNs - this.#lastNs;
    // Wall time grows with the clock, so the excess over the limit is the delay itself.
    if (resource === WALL && lateNs !== null && consumed - limit < lateNs) {
      lateNs = consumed - limit;
    }
    return { resource, limit, consumed, seq, tsNs, lateNs };
  }
}
