/** A session that takes a frame when it is told to, on the calling thread, and none by itself. */

import { setTimeout as delay } from 'node:timers/promises';
import { BudgetCounters } from '../budget/counters.js';
import type { BudgetTracker } from '../budget/index.js';
import { BudgetWatch } from '../budget/watch.js';
import type { EpisodeSampler, FailedAction } from '../engine/engine.js';
import type { TelemetryFrame } from '../frame/index.js';
import { SETTLE_AGREE_NS, SETTLE_INTERVAL_NS, SETTLE_LIMIT_NS } from '../schema/bounds.js';
import { type ExhaustAction, SampleOutcome } from '../schema/enumerations.js';
import { FrameFlag } from '../schema/layout.js';
import { type ResourceStats, wordsOfStats } from '../stats/index.js';
import { budgetSpec } from './budget-spec.js';
import { type EnforcedEpisode, enforce, enforcedEpisode } from './enforce.js';
import { END_FLAGS, Session, type SessionOptions, stoppedError } from './session.js';

export class ManualSession extends Session {
  readonly #sampler: EpisodeSampler;
  readonly #enforced: EnforcedEpisode;
  readonly #budget: BudgetWatch | null;
  /** By the counters that all trackers of one budget share. */
  readonly #otherBudgets = new WeakMap<SharedArrayBuffer, BudgetWatch>();
  #given: ResourceStats<number | bigint> | null = null;
  #initialTaken = false;

  constructor(options: SessionOptions) {
    super(options, 0);
    this.#budget = options.budget === null ? null : this.#watch(options.budget, options.baseline);
    // It may throw, and holds nothing open; the sampler does.
    this.#enforced = enforcedEpisode(options.spec);
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
    const counters = budget.share().budget;
    if (counters !== this.options.budget?.share().budget) {
      const watch = this.#otherBudgets.get(counters) ?? this.#watch(budget, this.options.baseline);
      this.#otherBudgets.set(counters, watch);
      look(watch, frame);
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
    this.#charge(frame);
    const { promoteEvery } = this;
    if (promoteEvery > 0 && (frame.seq + 1) % promoteEvery === 0) this.promotePeriodically();
    return frame;
  }

  #watch(budget: BudgetTracker, baseline: 'zero' | 'now'): BudgetWatch {
    const spec = budgetSpec(budget, this.policy, baseline);
    const startNs = this.startMonoNs;
    return new BudgetWatch(BudgetCounters.attach(spec.memory), { ...spec, startNs });
  }

  #charge(frame: TelemetryFrame): void {
    const budget = this.#budget;
    if (budget === null) return;
    const before = budget.exhaustion;
    look(budget, frame);
    this.crossThresholds(budget.takeTrips());
    if (budget.exhaustion === null || before !== null) return;
    this.exhaust(budget.exhaustion);
    void this.finish('exhausted');
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
    if (this.exhausted !== null) await this.#enforce(this.exhausted.action);
    const exited = this.#sampler.ended();
    if (exited) await this.#settle();
    const outcome = this.#sampler.sample(FrameFlag.TERMINAL | this.#initialFlag());
    this.#given = null;
    this.#tell(outcome);
    const terminal = this.newestOrWarn();
    if (terminal !== null) this.#charge(terminal);
    this.#sampler.close();
    this.conclude({ exited });
  }

  async #enforce(action: ExhaustAction): Promise<void> {
    const warn = (failed: FailedAction): void => this.warnOfAction(failed);
    await enforce(action, this.#enforced, warn);
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

function look(
  watch: BudgetWatch,
  { seq, tsMono, cpuNs, ioReadBytes, ioWriteBytes }: TelemetryFrame,
) {
  const both = ioReadBytes !== null && ioWriteBytes !== null;
  watch.look({
    seq,
    tsNs: BigInt(tsMono),
    cpuNs: cpuNs === null ? null : BigInt(cpuNs),
    ioBytes: both ? BigInt(ioReadBytes) + BigInt(ioWriteBytes) : null,
  });
}
