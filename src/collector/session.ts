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
import { BudgetCharger } from './budget-charger.js';
import type { ExhaustedEvent, HandleEvents, StopReason } from './events.js';

/** Settling: two reads this far apart must agree … */
const SETTLE_INTERVAL_MS = 1;
/** … and after this many the last one stands. */
const SETTLE_READS = 10;

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
  #timer: NodeJS.Timeout | null = null;
  #ticks = 0;
  #initialTaken = false;
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
    if (this.#timer === null && this.#ticks === 0) return 0;
    const frame = this.#latest.latest();
    if (frame === null) return 0;
    const elapsedMs = frame.tsMono / 1e6 - Number(this.startMonoNs) / 1e6;
    return Math.max(0, Math.floor(elapsedMs / this.policy.samplePeriodMs) - this.#ticks);
  }

  latest(): TelemetryFrame | null {
    return this.#latest.latest();
  }

  /** Takes the initial frame and starts the timer. It never keeps the process alive. */
  startSampling(): void {
    const outcome = this.#sampler.sample(this.#initialFlag());
    // Nobody can listen before start() has returned.
    if (outcome !== 0) process.nextTick(() => this.#tell(outcome));
    this.#timer = setInterval(this.#tick, this.policy.samplePeriodMs);
    this.#timer.unref();
  }

  // Hot: on the native engine a tick allocates nothing on the JavaScript heap.
  readonly #tick = (): void => {
    this.#ticks++;
    const outcome = this.#sampler.sample(SAMPLE_HOLD_IF_ENDED);
    if (outcome !== 0) this.#tell(outcome);
    if ((outcome & SampleOutcome.ENDED) !== 0) void this.finish('exit');
    else if (this.#charger !== null) this.#charge(this.#charger);
  };

  /** One frame now, from the kernel's files. */
  collect(flags: number): TelemetryFrame {
    this.#assertOpen();
    const frame = this.#take(flags);
    if (this.#charger !== null) this.#charge(this.#charger);
    return frame;
  }

  /** Charges a budget that is not the session's own with `frame`, from zero; the event if it crossed a limit. */
  chargeTo(budget: BudgetTracker, frame: TelemetryFrame): ExhaustedEvent | null {
    const charger = this.#otherChargers.get(budget) ?? new BudgetCharger(budget, 'zero');
    this.#otherChargers.set(budget, charger);
    return charger.charge(frame);
  }

  /** One frame of the given slot words. */
  publish(words: BigUint64Array, flags: number): TelemetryFrame {
    this.#assertOpen();
    const outcome = this.#sampler.publish(words, flags | this.#initialFlag());
    return this.#published(outcome);
  }

  #take(flags: number): TelemetryFrame {
    return this.#published(this.#sampler.sample(flags | this.#initialFlag()));
  }

  #published(outcome: number): TelemetryFrame {
    if (outcome !== 0) this.#tell(outcome);
    const frame = this.#latest.latest();
    // The frame was written by this thread a moment ago.
    if (frame === null)
      throw new TelemetryError('ERR_RING_CORRUPT', 'the ring lost its newest frame');
    return frame;
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

  #tell(outcome: number): void {
    const { emit, spec } = this.#options;
    if ((outcome & SampleOutcome.WARNING) !== 0) {
      const place = {
        cgroupPath: spec.cgroup === null ? '' : cgroupDirectory(spec.cgroup),
        procRoot: spec.procRoot,
      };
      for (const { failure } of this.#sampler.takeWarnings()) {
        emit('warning', failureToError(failure, place));
      }
    }
    if ((outcome & SampleOutcome.SOURCE_CHANGED) !== 0) {
      const frame = this.#latest.latest();
      if (frame !== null) emit('source', { sources: frame.sources, seq: frame.seq });
    }
  }

  #charge(charger: BudgetCharger): void {
    const frame = this.#latest.latest();
    const exhausted = frame === null ? null : charger.charge(frame);
    if (exhausted === null) return;
    this.#options.emit('exhausted', exhausted);
    void this.finish('exhausted');
  }

  /** Ends the session, once: settles the counters of an episode that ended, then takes the terminal frame. */
  finish(reason: StopReason): Promise<void> {
    this.#finishing ??= this.#finish(reason);
    return this.#finishing;
  }

  async #finish(reason: StopReason): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    try {
      if (this.#sampler.ended()) await this.#settle();
      const terminal = this.#take(FrameFlag.TERMINAL);
      if (reason === 'exit') this.#options.emit('exit', { frame: terminal });
      this.#options.emit('stopped', { reason, frame: terminal });
    } finally {
      this.#sampler.close();
      this.#options.onStopped();
    }
  }

  // The dying task's last accounting may come after the cgroup says that it is empty.
  async #settle(): Promise<void> {
    this.#sampler.settle();
    for (let read = 1; read < SETTLE_READS; read++) {
      await delay(SETTLE_INTERVAL_MS);
      if (this.#sampler.settle()) return;
    }
  }
}
