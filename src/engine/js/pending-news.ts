/** What an episode has to tell its owner, until the owner takes it: bounded, however long that is. */
import type { BudgetTrip, Exhaustion } from '../../budget/watch.js';
import { MAX_KEPT_NEWS, MAX_WARNINGS } from '../../schema/bounds.js';
import type { FailedAction, FrameReply, SamplerNews, SampleWarning } from '../engine.js';
import { sameWarning } from './failure-log.js';
import type { Trip } from './tripwires.js';

type SourceChange = SamplerNews['sources'][number];

export class PendingNews {
  #frames = false;
  #sources: SourceChange[] = [];
  #warnings: SampleWarning[] = [];
  #trips: Trip[] = [];
  #budgetTrips: BudgetTrip[] = [];
  #exhausted: Exhaustion | null = null;
  #failedActions: FailedAction[] = [];
  #replies: FrameReply[] = [];
  #ended: SamplerNews['ended'] = null;

  get any(): boolean {
    return (
      this.#frames ||
      this.#ended !== null ||
      this.#exhausted !== null ||
      [
        this.#sources,
        this.#warnings,
        this.#trips,
        this.#budgetTrips,
        this.#failedActions,
        this.#replies,
      ].some((list) => list.length > 0)
    );
  }

  addFrame(): void {
    this.#frames = true;
  }

  addSource(change: SourceChange): void {
    pushNewest(this.#sources, change, MAX_KEPT_NEWS);
  }

  /** A warning that is there already moves to the end. */
  addWarning(warning: SampleWarning): void {
    const at = this.#warnings.findIndex((other) => sameWarning(warning, other));
    if (at >= 0) this.#warnings.splice(at, 1);
    pushNewest(this.#warnings, warning, MAX_WARNINGS);
  }

  addTrip(trip: Trip): void {
    pushNewest(this.#trips, trip, MAX_KEPT_NEWS);
  }

  addBudgetTrip(trip: BudgetTrip): void {
    pushNewest(this.#budgetTrips, trip, MAX_KEPT_NEWS);
  }

  exhaust(exhaustion: Exhaustion): void {
    this.#exhausted = exhaustion;
  }

  /** At most one for each action. */
  addFailedAction(failed: FailedAction): void {
    this.#failedActions.push(failed);
  }

  addReply(reply: FrameReply): void {
    this.#replies.push(reply);
  }

  end(exited: boolean): void {
    this.#ended = { exited, failure: null };
  }

  take(): SamplerNews {
    const taken = {
      frames: this.#frames,
      sources: this.#sources,
      warnings: this.#warnings,
      trips: this.#trips,
      budgetTrips: this.#budgetTrips,
      exhausted: this.#exhausted,
      failedActions: this.#failedActions,
      replies: this.#replies,
      ended: this.#ended,
    };
    this.#frames = false;
    this.#sources = [];
    this.#warnings = [];
    this.#trips = [];
    this.#budgetTrips = [];
    this.#exhausted = null;
    this.#failedActions = [];
    this.#replies = [];
    this.#ended = null;
    return taken;
  }
}

function pushNewest<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.shift();
}
