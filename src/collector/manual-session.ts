/** A session that takes a frame when it is told to, on the calling thread, and none by itself. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BudgetTracker } from '../budget/index.js';
import { type EpisodeSampler, SampleOutcome } from '../engine/engine.js';
import { SETTLE_AGREE_NS, SETTLE_INTERVAL_NS, SETTLE_LIMIT_NS } from '../engine/settling.js';
import type { TelemetryFrame } from '../frame/index.js';
import { FrameFlag } from '../ring/layout.js';
import { type ResourceStats, wordsOfStats } from '../stats/index.js';
import { BudgetCharger } from './budget-charger.js';
import { END_FLAGS, Session, type SessionOptions, stoppedError } from './session.js';

export class ManualSession extends Session {
  readonly #sampler: EpisodeSampler;
  readonly #otherChargers = new WeakMap<BudgetTracker, BudgetCharger>();
  #given: ResourceStats<number | bigint> | null = null;
  #initialTaken = false;

  constructor(options: SessionOptions) {
    super(options, 0);
    this.#sampler = options.engine.openEpisode({ ...options.spec, ring: this.ring });
  }

  override get given(): ResourceStats<number | bigint> | null {
    return this.#given;
  }

  /** One frame now, from the kernel's files. */
  collect(flags: number): TelemetryFrame {
    this.#assertOpen();
    this.#given = null;
    return this.#published(this.#sampler.sample((flags & ~END_FLAGS) | this.#initialFlag()));
  }

  /** One frame now, charged to `budget` too; null once that is exhausted. */
  collectWithBudget(budget: BudgetTracker, flags: number): TelemetryFrame | null {
    const frame = this.collect(flags);
    if (budget !== this.options.budget) {
      const charger = this.#otherChargers.get(budget) ?? new BudgetCharger(budget, 'zero');
      this.#otherChargers.set(budget, charger);
      charger.charge(frame);
    }
    return budget.isExhausted() ? null : frame;
  }

  /** One frame of given stats. */
  publish(stats: ResourceStats<number | bigint>, flags: number): TelemetryFrame {
    this.#assertOpen();
    this.#given = stats;
    const words = wordsOfStats(stats);
    return this.#published(
      this.#sampler.publish(words, (flags & ~END_FLAGS) | this.#initialFlag()),
    );
  }

  #published(outcome: number): TelemetryFrame {
    const frame = this.newest();
    this.#tell(outcome);
    if (this.charge(frame)) void this.finish('exhausted');
    return frame;
  }

  #initialFlag(): number {
    if (this.#initialTaken) return 0;
    this.#initialTaken = true;
    return FrameFlag.INITIAL;
  }

  #assertOpen(): void {
    if (this.stopped) throw stoppedError(this.options.spec.episodeId);
  }

  #tell(outcome: number): void {
    if ((outcome & SampleOutcome.WARNING) !== 0) this.warn(this.#sampler.takeWarnings());
    if ((outcome & SampleOutcome.SOURCE_CHANGED) !== 0) {
      const frame = this.newestOrWarn();
      if (frame !== null) this.emit('source', { sources: frame.sources, seq: frame.seq });
    }
  }

  protected override end(): void {
    void this.#end();
  }

  async #end(): Promise<void> {
    const exited = this.#sampler.ended();
    if (exited) await this.#settle();
    const outcome = this.#sampler.sample(FrameFlag.TERMINAL | this.#initialFlag());
    this.#given = null;
    this.#tell(outcome);
    this.#sampler.close();
    this.conclude({ exited });
  }

  async #settle(): Promise<void> {
    const now = process.hrtime.bigint;
    let changedNs = now();
    const limitNs = changedNs + SETTLE_LIMIT_NS;
    this.#sampler.settle();
    while (now() < limitNs && now() - changedNs < SETTLE_AGREE_NS) {
      const since = now();
      // A timer counts from the loop's idea of now, which may be old.
      while (now() - since < SETTLE_INTERVAL_NS) await delay(1);
      const readNs = now();
      if (!this.#sampler.settle()) changedNs = readNs;
    }
  }
}
