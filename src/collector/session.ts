/**
 * One session of an episode: its ring, its sampler, its timer, its first and its last frame. The handle is its
 * public face.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { BudgetTracker } from '../budget/index.js';
import {
  type Engine,
  type EpisodeSampler,
  type EpisodeSpec,
  SAMPLE_HOLD_IF_ENDED,
  SampleOutcome,
} from '../engine/engine.js';
import { cgroupDirectory, failureToError } from '../engine/failure-error.js';
import { TelemetryError } from '../error/index.js';
import type { TelemetryFrame } from '../frame/index.js';
import type { TelemetryPolicy } from '../policy/index.js';
import { createRing, FrameReader } from '../ring/index.js';
import { FrameFlag, RingHeader } from '../ring/layout.js';
import { type ResourceStats, wordsOfStats } from '../stats/index.js';
import { BudgetCharger } from './budget-charger.js';
import type { ExhaustedEvent, HandleEvents, StopReason } from './events.js';

/** Settling: two reads at least this far apart must agree … */
const SETTLE_INTERVAL_NS = 1_000_000n;
/** … and after this long the last one stands. */
const SETTLE_LIMIT_NS = 10_000_000n;

/** These two mark the ends of a session, and only the session sets them. */
const END_FLAGS = FrameFlag.INITIAL | FrameFlag.TERMINAL;

export interface SessionOptions {
  readonly engine: Engine;
  readonly policy: TelemetryPolicy;
  readonly spec: Omit<EpisodeSpec, 'ring'>;
  readonly manual: boolean;
  readonly budget: BudgetTracker | null;
  readonly baseline: 'zero' | 'now';
  readonly emit: <K extends keyof HandleEvents>(event: K, ...args: HandleEvents[K]) => void;
  readonly onStopped: () => void;
}

export class Session {
  readonly engine: Engine;
  readonly policy: TelemetryPolicy;
  readonly ring: SharedArrayBuffer;
  readonly startMonoNs: bigint;
  readonly manual: boolean;
  readonly #options: SessionOptions;
  readonly #sampler: EpisodeSampler;
  readonly #latest: FrameReader<number>;
  readonly #charger: BudgetCharger | null;
  readonly #otherChargers = new WeakMap<BudgetTracker, BudgetCharger>();
  #given: ResourceStats<number | bigint> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #ticks = 0;
  #initialTaken = false;
  #exhausted = false;
  #finishing: Promise<void> | null = null;

  constructor(options: SessionOptions) {
    const { engine, policy, spec } = options;
    this.#options = options;
    this.engine = engine;
    this.policy = policy;
    this.manual = options.manual;
    this.startMonoNs = process.hrtime.bigint();
    this.ring = createRing({
      episodeId: spec.episodeId,
      pid: spec.pid,
      startMonoNs: this.startMonoNs,
      capacity: policy.ringBufferCapacity,
    });
    this.#sampler = engine.openEpisode({ ...spec, ring: this.ring });
    this.#latest = new FrameReader({ ring: this.ring });
    this.#charger =
      options.budget === null ? null : new BudgetCharger(options.budget, options.baseline);
  }

  get stopped(): boolean {
    return this.#finishing !== null;
  }

  /** Frames taken so far, modulo 2^32: the head of the ring. */
  get framesCollected(): number {
    return Atomics.load(new Uint32Array(this.ring), RingHeader.HEAD / 4);
  }

  /** Periods that passed without a sample of their own: the loop was busy. */
  get deadlinesMissed(): number {
    const frame = this.manual ? null : this.#latest.latest();
    if (frame === null) return 0;
    const elapsedMs = frame.tsMono / 1e6 - Number(this.startMonoNs) / 1e6;
    return Math.max(0, Math.floor(elapsedMs / this.policy.samplePeriodMs) - this.#ticks);
  }

  latest(): TelemetryFrame | null {
    return this.#latest.latest();
  }

  /** The stats that the newest frame was made of where they were given, null where they were read. */
  get given(): ResourceStats<number | bigint> | null {
    return this.#given;
  }

  /** Takes the initial frame and starts the timer. It never keeps the process alive. */
  startSampling(): void {
    const outcome = this.#sampler.sample(this.#initialFlag());
    const exhausted = this.#charge();
    this.#timer = setInterval(this.#tick, this.policy.samplePeriodMs);
    this.#timer.unref();
    if (outcome === 0 && exhausted === null) return;
    // Nobody can listen before start() has returned.
    process.nextTick(() => {
      if (this.stopped) return;
      this.#tell(outcome);
      this.#endIfDue(outcome, exhausted);
    });
  }

  // Hot: on the native engine a tick allocates nothing on the JavaScript heap.
  readonly #tick = (): void => {
    this.#ticks++;
    const outcome = this.#sampler.sample(SAMPLE_HOLD_IF_ENDED);
    if (outcome !== 0) this.#tell(outcome);
    const held = (outcome & SampleOutcome.ENDED) !== 0;
    const exhausted = held || this.#charger === null ? null : this.#charge();
    if (held || exhausted !== null) this.#endIfDue(outcome, exhausted);
  };

  /** One frame now, from the kernel's files. */
  collect(flags: number): TelemetryFrame {
    this.#assertOpen();
    this.#given = null;
    return this.#published(this.#sampler.sample((flags & ~END_FLAGS) | this.#initialFlag()));
  }

  /** One frame now, charged to `budget` too; null once that is exhausted. */
  collectWithBudget(budget: BudgetTracker, flags: number): TelemetryFrame | null {
    const frame = this.collect(flags);
    if (budget !== this.#options.budget) {
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
    const frame = this.#newest();
    if (outcome !== 0) this.#tell(outcome);
    this.#endIfDue(0, this.#charge());
    return frame;
  }

  #newest(): TelemetryFrame {
    const frame = this.#latest.latest();
    if (frame !== null) return frame;
    // The frame was written by this thread a moment ago.
    throw new TelemetryError('ERR_RING_CORRUPT', 'the ring lost its newest frame');
  }

  #initialFlag(): number {
    if (this.#initialTaken) return 0;
    this.#initialTaken = true;
    return FrameFlag.INITIAL;
  }

  #assertOpen(): void {
    if (this.stopped) {
      throw new TelemetryError(
        'ERR_STOPPED',
        `the session of episode ${this.#options.spec.episodeId} is stopped`,
      );
    }
  }

  // A listener that throws is its owner's fault, and an uncaught exception like in any emitter; what the session has
  // to do goes on.
  #emit<K extends keyof HandleEvents>(event: K, ...args: HandleEvents[K]): void {
    try {
      this.#options.emit(event, ...args);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }

  #tell(outcome: number): void {
    const { spec } = this.#options;
    if ((outcome & SampleOutcome.WARNING) !== 0) {
      const place = {
        cgroupPath: spec.cgroup === null ? '' : cgroupDirectory(spec.cgroup),
        procRoot: spec.procRoot,
      };
      for (const { failure } of this.#sampler.takeWarnings()) {
        this.#emit('warning', failureToError(failure, place));
      }
    }
    if ((outcome & SampleOutcome.SOURCE_CHANGED) !== 0) {
      const { sources, seq } = this.#newest();
      this.#emit('source', { sources, seq });
    }
  }

  /** Charges the newest frame; the event, once, when a limit is reached. */
  #charge(): ExhaustedEvent | null {
    if (this.#charger === null) return null;
    const exhausted = this.#charger.charge(this.#newest());
    if (exhausted === null || this.#exhausted) return null;
    this.#exhausted = true;
    return exhausted;
  }

  #endIfDue(outcome: number, exhausted: ExhaustedEvent | null): void {
    if (exhausted !== null) {
      void this.finish('exhausted', () => this.#emit('exhausted', exhausted));
    } else if ((outcome & SampleOutcome.ENDED) !== 0) {
      void this.finish('exit');
    }
  }

  /**
   * Ends the session, once: settles the counters of an episode that ended, then takes the terminal frame. `first` is
   * done when the session counts as stopped already, so that a listener may call stop(). Never rejects.
   */
  finish(reason: StopReason, first?: () => void): Promise<void> {
    if (this.#finishing === null) {
      let done = (): void => {};
      this.#finishing = new Promise((resolve) => {
        done = resolve;
      });
      first?.();
      void this.#finish(reason).then(done);
    }
    return this.#finishing;
  }

  async #finish(reason: StopReason): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const ended = this.#sampler.ended();
    if (ended) await this.#settle();
    const outcome = this.#sampler.sample(FrameFlag.TERMINAL | this.#initialFlag());
    this.#given = null;
    const frame = this.#newest();
    const exhausted = this.#charge();
    this.#tell(outcome);
    this.#sampler.close();
    this.#options.onStopped();
    if (exhausted !== null) this.#emit('exhausted', exhausted);
    if (ended) this.#emit('exit', { frame });
    this.#emit('stopped', { reason, frame });
  }

  // The dying task's last accounting may come after the cgroup says that it is empty.
  async #settle(): Promise<void> {
    const now = process.hrtime.bigint;
    const limit = now() + SETTLE_LIMIT_NS;
    this.#sampler.settle();
    while (now() < limit) {
      const since = now();
      // A timer counts from the loop's idea of now, which may be old.
      while (now() - since < SETTLE_INTERVAL_NS) await delay(1);
      if (this.#sampler.settle()) return;
    }
  }
}
