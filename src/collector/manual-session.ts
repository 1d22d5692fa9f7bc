/**
 * A session that takes a frame only on a call, on the calling thread: it drives by hand the state machine that the
 * sampler drives otherwise.
 */

import { setTimeout as delay } from 'node:timers/promises';
import { BudgetCounters } from '../budget/counters.js';
import type { BudgetTracker } from '../budget/index.js';
import { BudgetWatch } from '../budget/watch.js';
import type { ManualEpisode } from '../engine/engine.js';
import type { TelemetryFrame } from '../frame/index.js';
import { SampleOutcome } from '../schema/enumerations.js';
import { type ResourceStats, wordsOfStats } from '../stats/index.js';
import { budgetSpec } from './budget-spec.js';
import { Session, type SessionOptions, stoppedError } from './session.js';

/** The outcomes of a frame that come with news. */
const NOTABLE =
  SampleOutcome.SOURCE_CHANGED |
  SampleOutcome.WARNING |
  SampleOutcome.TRIPPED |
  SampleOutcome.EXHAUSTED;

export class ManualSession extends Session {
  protected readonly tripwires = [];
  readonly #episode: ManualEpisode;
  /** The budgets that `collectWithBudget` charges besides the session's own, by the shared counters. */
  readonly #otherBudgets = new WeakMap<SharedArrayBuffer, BudgetWatch>();
  #given: ResourceStats<number | bigint> | null = null;

  constructor(options: SessionOptions) {
    super(options, 0);
    const { spec, budget, baseline, onExhausted } = options;
    this.#episode = options.engine.openEpisode({
      ...spec,
      ring: this.ring,
      budget: budget === null ? null : budgetSpec(budget, this.policy, baseline),
      onExhausted,
    });
  }

  override get given(): ResourceStats<number | bigint> | null {
    return this.#given;
  }

  /** Takes one frame now, from the kernel's files. */
  collect(flags: number): TelemetryFrame {
    this.#assertOpen();
    this.#given = null;
    return this.#published(this.#episode.sample(flags));
  }

  /** Takes one frame now and charges it to `budget` too; returns null once that is exhausted. */
  collectWithBudget(budget: BudgetTracker, flags: number): TelemetryFrame | null {
    const frame = this.collect(flags);
    const counters = budget.share().budget;
    if (counters !== this.options.budget?.share().budget) {
      const watch = this.#otherBudgets.get(counters) ?? this.#watch(budget);
      this.#otherBudgets.set(counters, watch);
      charge(watch, frame);
    }
    return budget.isExhausted() ? null : frame;
  }

  /** Publishes one frame of the given stats. */
  publish(stats: ResourceStats<number | bigint>, flags: number): TelemetryFrame {
    this.#assertOpen();
    this.#given = stats;
    return this.#published(this.#episode.publish(wordsOfStats(stats), flags));
  }

  #published(outcome: number): TelemetryFrame {
    const frame = this.newest();
    if ((outcome & NOTABLE) !== 0) this.tell(this.#episode.takeNews());
    if (this.exhausted !== null) void this.finish('exhausted');
    const { promoteEvery } = this;
    if (promoteEvery > 0 && (frame.seq + 1) % promoteEvery === 0) this.promotePeriodically();
    return frame;
  }

  #watch(budget: BudgetTracker): BudgetWatch {
    const spec = budgetSpec(budget, this.policy, this.options.baseline);
    const startNs = this.startMonoNs;
    return new BudgetWatch(BudgetCounters.attach(spec.memory), { ...spec, startNs });
  }

  #assertOpen(): void {
    if (this.stopped) throw stoppedError(this.options.spec.episodeId);
  }

  protected override end(): void {
    void this.#end();
  }

  async #end(): Promise<void> {
    // The caller whose frame reached a limit gets that frame before the session ends.
    if (this.exhausted !== null) await null;
    this.#episode.requestEnd();
    while (!this.#episode.wake()) {
      this.tell(this.#episode.takeNews());
      await delay(1);
    }
    this.#given = null;
    const news = this.#episode.takeNews();
    this.tell(news);
    this.conclude({ exited: news.ended?.exited === true });
  }
}

function charge(
  watch: BudgetWatch,
  { seq, tsMono, cpuNs, ioReadBytes, ioWriteBytes }: TelemetryFrame,
): void {
  const both = ioReadBytes !== null && ioWriteBytes !== null;
  watch.look({
    seq,
    tsNs: BigInt(tsMono),
    cpuNs: cpuNs === null ? null : BigInt(cpuNs),
    ioBytes: both ? BigInt(ioReadBytes) + BigInt(ioWriteBytes) : null,
  });
}
