/**
 * What every session of an episode has: its ring, its newest frame, its budget, its events and its one end. The
 * handle is its public interface.
 */

import type { BudgetTracker } from '../budget/index.js';
import type { BudgetTrip, Exhaustion } from '../budget/watch.js';
import type {
  CgroupSpec,
  Engine,
  EpisodeSpec,
  FailedAction,
  SamplerNews,
  SampleWarning,
} from '../engine/engine.js';
import { cgroupDirectory, failureToError, placeOf } from '../engine/failure-error.js';
import { invalidConfig, TelemetryError } from '../error/index.js';
import { sourcesFromMeta } from '../frame/decode.js';
import type { TelemetryFrame } from '../frame/index.js';
import type { TelemetryPolicy } from '../policy/index.js';
import { FrameReader } from '../readers/frame-reader.js';
import { createRing } from '../ring/index.js';
import type { ExhaustAction } from '../schema/enumerations.js';
import { FrameFlag, RingHeader } from '../schema/layout.js';
import type { ResourceStats } from '../stats/index.js';
import { failedActionError } from './action-error.js';
import { exhaustedEvent, thresholdEvent } from './budget-spec.js';
import type { ExhaustedEvent, HandleEvents, StopReason } from './events.js';
import { FrameDrain } from './frame-drain.js';
import type { FrameSink } from './frame-sink.js';
import { Promoter } from './promoter.js';
import type { Tripwire } from './tripwire.js';

/** These two flags mark the ends of a session, and only the session sets them. */
export const END_FLAGS = FrameFlag.INITIAL | FrameFlag.TERMINAL;

export interface SessionOptions {
  readonly engine: Engine;
  readonly policy: TelemetryPolicy;
  readonly spec: Omit<EpisodeSpec, 'ring'>;
  readonly budget: BudgetTracker | null;
  readonly baseline: 'zero' | 'now';
  readonly onExhausted: ExhaustAction;
  readonly recorder: FrameSink | null;
  readonly emit: <K extends keyof HandleEvents>(event: K, ...args: HandleEvents[K]) => void;
  readonly onStopped: () => void;
}

export abstract class Session {
  readonly engine: Engine;
  readonly policy: TelemetryPolicy;
  readonly ring: SharedArrayBuffer;
  readonly startMonoNs: bigint;
  /** Drains or promotes each frame once. */
  readonly drain: FrameDrain;
  protected readonly options: SessionOptions;
  protected abstract readonly tripwires: readonly Tripwire[];
  readonly #header: Uint32Array;
  readonly #latest: FrameReader<number>;
  readonly #startedAt = new Date();
  readonly #promoter: Promoter | null;
  /** The limit that was reached first. */
  #exhausted: ExhaustedEvent | null = null;
  /** The newest frame that was read. */
  #known: TelemetryFrame | null = null;
  #destroyedTold = false;
  /** Why it ends, set when its end is requested. */
  #reason: StopReason | null = null;
  #hasEnded = false;
  readonly #end: Promise<void>;
  #resolveEnd: (recorded: Promise<void>) => void = () => {};

  /** A `samplePeriodMs` of 0 means that frames are taken by hand. */
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
    this.drain = new FrameDrain(this.ring);
    const emit: SessionOptions['emit'] = (event, ...args) => this.emit(event, ...args);
    const { recorder: sink } = options;
    const { episodeId } = spec;
    this.#promoter =
      sink === null ? null : new Promoter({ episodeId, sink, drain: this.drain, policy, emit });
    this.#end = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
  }

  /** Called once the frames have begun. */
  begin(): void {
    const { spec, budget, baseline, onExhausted } = this.options;
    this.#promoter?.start({
      kind: 'start',
      episodeId: spec.episodeId,
      pid: spec.pid,
      startedAt: this.#startedAt,
      startMonoNs: this.startMonoNs,
      engine: this.engine.name,
      tier: spec.tier,
      cgroupPath: spec.cgroup === null ? null : cgroupDirectory(spec.cgroup),
      policy: this.policy,
      budget: budget?.limits ?? null,
      baseline,
      onExhausted,
    });
  }

  get cgroup(): CgroupSpec | null {
    return this.options.spec.cgroup;
  }

  /** Its end was requested, or its terminal frame is in the ring. */
  get stopped(): boolean {
    return this.#reason !== null || this.#latest.ended;
  }

  /** Why it ended, null before its terminal frame is in the ring. */
  get stopReason(): StopReason | null {
    return this.#hasEnded ? this.#reason : null;
  }

  /** Its end was requested or reported: it accepts no more requests. */
  protected get finishing(): boolean {
    return this.#reason !== null;
  }

  /** The number of frames after which frames are promoted; 0 for never. */
  protected get promoteEvery(): number {
    return this.#promoter === null ? 0 : this.policy.promoteTriggers.periodicFrames;
  }

  /** Frames taken so far, modulo 2^32: the head of the ring. */
  get framesCollected(): number {
    return Atomics.load(this.#header, RingHeader.HEAD / 4);
  }

  /** Periods that passed without a sample, as the sampler counts them. */
  get deadlinesMissed(): number {
    return Atomics.load(this.#header, RingHeader.DEADLINES_MISSED / 4);
  }

  latest(): TelemetryFrame | null {
    const frame = this.#latest.latest();
    if (frame !== null) this.#known = frame;
    return frame;
  }

  /** The stats of the newest frame if the caller gave them, null if they were read. */
  get given(): ResourceStats<number | bigint> | null {
    return null;
  }

  /** Throws `ERR_STOPPED` after its end, `ERR_INVALID_CONFIG` unless `reason` is a string that is not blank. */
  quarantine(reason: string): void {
    if (typeof reason !== 'string' || reason.trim() === '') {
      throw invalidConfig('quarantine() wants a reason: a text that is not blank');
    }
    if (this.stopped) throw stoppedError(this.options.spec.episodeId);
    this.#promoter?.promote('quarantine', reason);
  }

  protected promotePeriodically(): void {
    this.#promoter?.promote('periodic');
  }

  /** Begins its end: settle, terminal frame, `conclude`. Called once. */
  protected abstract end(): void;

  /** Ends the session, once; resolves when the terminal frame is in the ring and all events are out. Never rejects. */
  finish(reason: StopReason): Promise<void> {
    if (this.#reason === null) {
      // Set before any event is emitted: a listener may call stop(). 'exit' if the session has already ended by itself.
      this.#reason = this.#latest.ended ? 'exit' : reason;
      this.end();
    }
    return this.#end;
  }

  /** Called when the terminal frame is in the ring: reports the end, to the recorder too. */
  protected conclude({ exited, failed = false }: { exited: boolean; failed?: boolean }): void {
    const terminal = this.newestOrWarn();
    const reason = failed || terminal === null ? 'failed' : this.#whyEnded(terminal);
    this.#reason = reason;
    this.#hasEnded = true;
    this.#promoter?.promote('termination');
    this.options.onStopped();
    if (terminal !== null && exited) this.emit('exit', { frame: terminal });
    const frame = terminal ?? this.#known;
    if (frame !== null) this.emit('stopped', { reason, frame });
    this.#resolveEnd(this.#recordEnd(reason));
  }

  // A limit that only the terminal frame reached did not end the session.
  #whyEnded(terminal: TelemetryFrame): StopReason {
    if (this.#exhausted !== null && this.#exhausted.seq < terminal.seq) return 'exhausted';
    return this.#reason ?? 'exit';
  }

  async #recordEnd(reason: StopReason): Promise<void> {
    const { episodeId } = this.options.spec;
    const frame = this.#exactTerminal();
    if (this.#promoter === null || frame === null) return;
    await this.#promoter.end({
      kind: 'end',
      episodeId,
      reason,
      frame,
      wallNs: frame.tsMono - this.startMonoNs,
      framesCollected: this.framesCollected,
      framesPromoted: this.drain.taken,
      exhausted: this.#exhausted,
    });
  }

  #exactTerminal(): TelemetryFrame<bigint> | null {
    try {
      return new FrameReader({ ring: this.ring }, { bigint: true }).latest();
    } catch {
      // `newestOrWarn` has reported the corrupt ring.
      return null;
    }
  }

  /** Throws `ERR_RING_CORRUPT` if another holder of the ring corrupted it. */
  protected newest(): TelemetryFrame {
    const frame = this.latest();
    if (frame !== null) return frame;
    // The initial frame was written before any call to this.
    throw new TelemetryError('ERR_RING_CORRUPT', 'the ring lost its newest frame');
  }

  /** Returns null, and warns once, if another holder of the ring corrupted it: that must not end the owner. */
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

  /** The limit that was reached first, null while none is. */
  get exhausted(): ExhaustedEvent | null {
    return this.#exhausted;
  }

  /** Called when a limit is reached for the first time. */
  #exhaust(exhaustion: Exhaustion): void {
    this.#exhausted = exhaustedEvent(exhaustion, this.options.onExhausted);
    this.emit('exhausted', this.#exhausted);
  }

  #crossThresholds(trips: readonly BudgetTrip[]): void {
    for (const trip of trips) {
      this.emit('threshold', thresholdEvent(trip, this.policy.highFreqThresholdPercent));
    }
    if (trips.length > 0) this.#promoter?.promote('budgetThreshold');
  }

  /** Emits the events that the episode's news cause in every kind of session. */
  protected tell(news: SamplerNews): void {
    this.#warn(news.warnings);
    for (const { seq, meta } of news.sources) {
      this.emit('source', { seq, sources: sourcesFromMeta(meta) });
    }
    for (const { index, value, seq } of news.trips) {
      const { metric, atLeast } = this.tripwires[index] as Tripwire;
      this.emit('threshold', { metric, atLeast: Number(atLeast), value: Number(value), seq });
    }
    this.#crossThresholds(news.budgetTrips);
    if (news.exhausted !== null) this.#exhaust(news.exhausted);
    for (const failed of news.failedActions) this.#warnOfAction(failed);
  }

  #warnOfAction(failed: FailedAction): void {
    const { cgroup } = this.options.spec;
    const cgroupPath = cgroup === null ? null : cgroupDirectory(cgroup);
    this.emit('warning', failedActionError(failed, cgroupPath));
  }

  #warn(warnings: readonly SampleWarning[]): void {
    const place = placeOf(this.options.spec);
    for (const { failure } of warnings) this.emit('warning', failureToError(failure, place));
  }

  // An error thrown by a listener becomes an uncaught exception, as with any emitter; the session completes its own
  // work first.
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
