/**
 * What every session of an episode has: its ring, its newest frame, its budget, its events and its one end. The
 * handle is its public face.
 */
import type { BudgetTracker } from '../budget/index.js';
import type { Engine, EpisodeSpec, SampleWarning } from '../engine/engine.js';
import { cgroupDirectory, failureToError } from '../engine/failure-error.js';
import { TelemetryError } from '../error/index.js';
import type { TelemetryFrame } from '../frame/index.js';
import type { TelemetryPolicy } from '../policy/index.js';
import { FrameReader } from '../reader/index.js';
import { createRing } from '../ring/index.js';
import { FrameFlag, RingHeader } from '../ring/layout.js';
import type { ResourceStats } from '../stats/index.js';
import { BudgetCharger } from './budget-charger.js';
import type { ExhaustedEvent, HandleEvents, StopReason } from './events.js';

/** These two mark the ends of a session, and only the session sets them. */
export const END_FLAGS = FrameFlag.INITIAL | FrameFlag.TERMINAL;

export interface SessionOptions {
  readonly engine: Engine;
  readonly policy: TelemetryPolicy;
  readonly spec: Omit<EpisodeSpec, 'ring'>;
  readonly budget: BudgetTracker | null;
  readonly baseline: 'zero' | 'now';
  readonly emit: <K extends keyof HandleEvents>(event: K, ...args: HandleEvents[K]) => void;
  readonly onStopped: () => void;
}

export abstract class Session {
  readonly engine: Engine;
  readonly policy: TelemetryPolicy;
  readonly ring: SharedArrayBuffer;
  readonly startMonoNs: bigint;
  protected readonly options: SessionOptions;
  readonly #header: Uint32Array;
  readonly #latest: FrameReader<number>;
  readonly #charger: BudgetCharger | null;
  /** The limit that was reached first. */
  #exhausted: ExhaustedEvent | null = null;
  #exhaustedTold = false;
  /** The newest frame that was read. */
  #known: TelemetryFrame | null = null;
  #destroyedTold = false;
  /** Why it ends, from the moment on that its end was asked for. */
  #reason: StopReason | null = null;
  readonly #over: Promise<void>;
  #resolveOver: () => void = () => {};

  /** `samplePeriodMs` 0: frames are taken by hand. */
  constructor(options: SessionOptions, samplePeriodMs: number) {
    const { engine, policy, spec } = options;
    this.options = options;
    this.engine = engine;
    this.policy = policy;
    this.startMonoNs = process.hrtime.bigint();
    this.ring = createRing({
      episodeId: spec.episodeId,
      pid: spec.pid,
      startMonoNs: this.startMonoNs,
      capacity: policy.ringBufferCapacity,
      samplePeriodMs,
    });
    this.#header = new Uint32Array(this.ring);
    this.#latest = new FrameReader({ ring: this.ring });
    this.#charger =
      options.budget === null ? null : new BudgetCharger(options.budget, options.baseline);
    this.#over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
  }

  /** Its end was asked for, or its terminal frame is in the ring. */
  get stopped(): boolean {
    return this.#reason !== null || this.#latest.ended;
  }

  /** Its end was asked for or told: nothing can be asked of it any more. */
  protected get finishing(): boolean {
    return this.#reason !== null;
  }

  /** Frames taken so far, modulo 2^32: the head of the ring. */
  get framesCollected(): number {
    return Atomics.load(this.#header, RingHeader.HEAD / 4);
  }

  /** Periods that passed without a sample of their own, as the sampler counts them. */
  get deadlinesMissed(): number {
    return Atomics.load(this.#header, RingHeader.DEADLINES_MISSED / 4);
  }

  latest(): TelemetryFrame | null {
    const frame = this.#latest.latest();
    if (frame !== null) this.#known = frame;
    return frame;
  }

  /** The stats that the newest frame was made of where they were given, null where they were read. */
  get given(): ResourceStats<number | bigint> | null {
    return null;
  }

  /** Begins its end: settle, terminal frame, `conclude`. Called once. */
  protected abstract end(): void;

  /** Ends the session, once; resolves when its terminal frame is in the ring and everything is told. Never rejects. */
  finish(reason: StopReason): Promise<void> {
    if (this.#reason === null) {
      // Before anything is told: a listener may call stop(). What has ended by itself ended so, whoever asks now.
      this.#reason = this.#latest.ended ? 'exit' : reason;
      this.#tellExhausted();
      this.end();
    }
    return this.#over;
  }

  /** The terminal frame is in the ring: charges it and tells the end. */
  protected conclude({ exited, failed = false }: { exited: boolean; failed?: boolean }): void {
    const terminal = this.newestOrWarn();
    const reason = failed || terminal === null ? 'failed' : (this.#reason ?? 'exit');
    this.#reason = reason;
    this.options.onStopped();
    try {
      if (terminal !== null) {
        this.charge(terminal);
        this.#tellExhausted();
        if (exited) this.emit('exit', { frame: terminal });
      }
      const frame = terminal ?? this.#known;
      if (frame !== null) this.emit('stopped', { reason, frame });
    } finally {
      this.#resolveOver();
    }
  }

  /** Throws `ERR_RING_CORRUPT` where somebody who shares the ring destroyed it. */
  protected newest(): TelemetryFrame {
    const frame = this.latest();
    if (frame !== null) return frame;
    // It was written before anybody asked.
    throw new TelemetryError('ERR_RING_CORRUPT', 'the ring lost its newest frame');
  }

  /** null, and a warning once, where somebody who shares the ring destroyed it: that must not end its owner. */
  protected newestOrWarn(): TelemetryFrame | null {
    try {
      return this.newest();
    } catch (error) {
      if (!(error instanceof TelemetryError)) throw error;
      if (!this.#destroyedTold) this.emit('warning', error);
      this.#destroyedTold = true;
      return null;
    }
  }

  /** Charges what a frame consumed; true from the frame on that reached a limit. */
  protected charge(frame: TelemetryFrame): boolean {
    const exhausted = this.#charger?.charge(frame) ?? null;
    this.#exhausted ??= exhausted;
    return this.#exhausted !== null;
  }

  #tellExhausted(): void {
    if (this.#exhausted === null || this.#exhaustedTold) return;
    this.#exhaustedTold = true;
    this.emit('exhausted', this.#exhausted);
  }

  protected warn(warnings: readonly SampleWarning[]): void {
    const { cgroup, procRoot } = this.options.spec;
    for (const { failure } of warnings) {
      const cgroupPath = cgroup === null ? '' : cgroupDirectory(cgroup);
      this.emit('warning', failureToError(failure, { cgroupPath, procRoot }));
    }
  }

  // A listener that throws is its owner's fault, and an uncaught exception like in any emitter; what the session has
  // to do goes on.
  protected emit<K extends keyof HandleEvents>(event: K, ...args: HandleEvents[K]): void {
    try {
      this.options.emit(event, ...args);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

export function stoppedError(episodeId: string): TelemetryError {
  return new TelemetryError('ERR_STOPPED', `the session of episode ${episodeId} is stopped`);
}
