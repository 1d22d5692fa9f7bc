import type { EngineName } from '../engine/engine.js';
import { invalidConfig } from '../error/index.js';
import type { O11yFlags, TelemetryFrame } from '../frame/index.js';
import { flagsToBits, ownFlags } from '../frame/o11y-flags.js';
import {
  type FrameBatches,
  FrameReader,
  type FramesOptions,
  type SharedFrames,
} from '../readers/frame-reader.js';
import { asyncDispose } from '../realm/index.js';
import { type ResourceStats, statsOfFrame } from '../stats/index.js';
import { ownStats } from '../stats/resource-stats.js';
import { type StatsDelta, statsDelta } from './delta.js';
import type { ExhaustedEvent, StopReason } from './events.js';
import { KeptEvents } from './kept-events.js';
import { ManualSession } from './manual-session.js';
import { SampledSession } from './sampled-session.js';
import type { Session } from './session.js';
import { thawCgroup } from './thaw.js';

/** A session at one moment. Counts are of this session. */
export interface TelemetryHandleSnapshot {
  readonly episodeId: string;
  readonly pid: number;
  /** The seq that the next frame will have. */
  readonly seq: number;
  readonly elapsedNs: number;
  readonly framesCollected: number;
  /** Frames that went to the recorder, or that `drainFrames()` gave out. */
  readonly framesPromoted: number;
  /** Frames that the ring no longer holds. */
  readonly framesOverwritten: number;
  /** Sample periods that passed without a sample of their own: the sampler was late. */
  readonly deadlinesMissed: number;
  /** Frames in the ring that were not promoted yet. */
  readonly bufferLen: number;
  readonly bufferCapacity: number;
  /** The end was asked for, or the terminal frame is in the ring. */
  readonly stopped: boolean;
  /** The limit that was reached first, null while none is. */
  readonly exhausted: ExhaustedEvent | null;
  /** Why it ended, null before its terminal frame. */
  readonly stopReason: StopReason | null;
  /** The budget's threshold, or a tripwire that speeds up, is tripped, as the newest frame says. */
  readonly highFreqActive: boolean;
  /** Sources of the newest frame, or null before the first. */
  readonly sources: TelemetryFrame['sources'] | null;
}

/**
 * One running session of an episode. Made by `TelemetryCollector.start`.
 *
 * Emits `source`, `threshold`, `exhausted`, `promoted`, `warning`, `exit` and `stopped` (see `HandleEvents`); never
 * `error`. Who listens late loses nothing: `exhausted`, `exit` and `stopped` are told to each listener, whenever it is
 * added, and of the other kinds the first 64 that nobody listened to yet to the first listener, each once and never
 * before the call that adds it has returned.
 *
 * `stop()` (or `await using`) ends it with its terminal frame.
 *
 * A running handle does not keep the process alive; a `stop()` or `sampleNow()` that has not resolved does. Like a
 * `ChildProcess` a sampled session is held, its listeners with it, until it has ended, whether or not anybody else
 * holds the handle.
 */
export class TelemetryHandle extends KeptEvents {
  readonly episodeId: string;
  readonly pid: number;
  readonly #session: Session;
  #stopping: Promise<TelemetryFrame[]> | null = null;

  /** @internal Use `TelemetryCollector.start`. */
  constructor(episodeId: string, pid: number, open: (handle: TelemetryHandle) => Session) {
    super();
    this.episodeId = episodeId;
    this.pid = pid;
    this.#session = open(this);
    sessions.set(this, this.#session);
    this.#session.begin();
  }

  /** The engine that samples: `'native'` or `'js'`. */
  get engine(): EngineName {
    return this.#session.engine.name;
  }

  /** The seq that the next frame will have. */
  get seq(): number {
    return this.#session.framesCollected;
  }

  /** CLOCK_MONOTONIC, ns, when the session was started. */
  get startMonoNs(): number {
    return Number(this.#session.startMonoNs);
  }

  /** What the newest frame was made of: the stats given to `nextFrame`, else what the frame says; null before the first. */
  get prevStats(): ResourceStats<number | bigint> | null {
    const frame = this.latest();
    return this.#session.given ?? (frame === null ? null : statsOfFrame(frame));
  }

  /** The newest frame, or null before the first. */
  latest(): TelemetryFrame | null {
    return this.#session.latest();
  }

  /** All frames that the ring holds, oldest first. */
  readFrames(): TelemetryFrame[] {
    const reader = new FrameReader(this.share());
    return reader.read(reader.capacity).frames;
  }

  /**
   * The frames that were not drained before, oldest first; they count as promoted: what is drained here does not go to
   * the recorder, and what was promoted to that is not drained here.
   */
  drainFrames(): TelemetryFrame[] {
    return this.#session.drain.take();
  }

  /**
   * The frames as they come, in batches, to a reader of its own: see `FrameReader.frames`. A `next()` that waits keeps
   * the process alive.
   *
   * Throws `ERR_INVALID_CONFIG` for options of another kind.
   */
  frames(options?: FramesOptions): FrameBatches {
    return new FrameReader(this.share()).frames(options);
  }

  /** What was consumed between `prevStats` and `stats`; never negative, null where either is unavailable. */
  computeDelta(stats: ResourceStats<number | bigint>): StatsDelta {
    return statsDelta(this.prevStats, userStats(stats));
  }

  /**
   * Publishes one frame of the given stats, with the clamps of every frame. Manual sessions only.
   *
   * Throws `ERR_INVALID_CONFIG` on a sampled session and for anything but stats and flags, `ERR_STOPPED` after
   * `stop()`.
   */
  nextFrame(stats: ResourceStats<number | bigint>, flags?: O11yFlags): TelemetryFrame {
    const session = manualSessionOf(this, 'nextFrame');
    return session.publish(userStats(stats), userFlags(flags));
  }

  /**
   * One frame now, beside the period, taken by the sampler. Resolves to the terminal frame when the episode ends
   * first.
   *
   * Rejects with `ERR_INVALID_CONFIG` on a manual session (`collect()` is for those) and for anything but flags,
   * `ERR_STOPPED` after the end or `stop()`.
   */
  async sampleNow(flags?: O11yFlags): Promise<TelemetryFrame> {
    return this.#sampled('sampleNow').sampleNow(userFlags(flags));
  }

  /**
   * Samples every `ms` from now on, counted from the last deadline; the sampler takes it up within one wake, and the
   * period of high frequency follows. Missed deadlines count on. The policy, and what a recording says of it, stay
   * those of the start.
   *
   * Throws `ERR_OUT_OF_RANGE` and `ERR_INVALID_CONFIG` as a policy's `samplePeriodMs`, `ERR_INVALID_CONFIG` on a
   * manual session, `ERR_STOPPED` after the end or `stop()`.
   */
  setSamplePeriod(ms: number): void {
    this.#sampled('setSamplePeriod').setSamplePeriod(ms);
  }

  snapshot(): TelemetryHandleSnapshot {
    const session = this.#session;
    const written = session.framesCollected;
    const capacity = session.policy.ringBufferCapacity;
    const { stopped } = session;
    const latest = session.latest();
    return {
      episodeId: this.episodeId,
      pid: this.pid,
      seq: written,
      elapsedNs: Number(process.hrtime.bigint() - session.startMonoNs),
      framesCollected: written,
      framesPromoted: session.drain.taken,
      framesOverwritten: Math.max(0, written - capacity),
      deadlinesMissed: session.deadlinesMissed,
      bufferLen: session.drain.available,
      bufferCapacity: capacity,
      stopped,
      exhausted: session.exhausted,
      stopReason: session.stopReason,
      highFreqActive: !stopped && latest !== null && latest.o11yFlags.highFrequency,
      sources: latest?.sources ?? null,
    };
  }

  /** The ring, to be posted to any worker and read there with `new FrameReader(shared)`. */
  share(): SharedFrames {
    return { ring: this.#session.ring };
  }

  /**
   * Something is wrong with the episode: promotes what the ring holds, with the reason, where the policy has that
   * trigger (`PromoteTriggers.onQuarantine`) and the session a recorder. The session goes on.
   *
   * Throws `ERR_INVALID_CONFIG` for anything but a text that is not blank, `ERR_STOPPED` after the end.
   */
  quarantine(reason: string): void {
    this.#session.quarantine(reason);
  }

  /**
   * Thaws the episode's cgroup (`cgroup.freeze`), which an exhausted budget with `onExhausted: 'freeze'` has frozen;
   * also after the session's end, which does not thaw it. Resolves when it is thawed, as `cgroup.events` says; nothing
   * happens to one that is not frozen.
   *
   * Rejects with `ERR_CGROUP_NOT_AVAILABLE` (the episode has no cgroup), `ERR_CGROUP_NOT_FOUND` (it is removed),
   * `ERR_CGROUP_WRITE` (with the errno: no right to write, `ETIMEDOUT` where an ancestor is frozen too).
   */
  thaw(): Promise<void> {
    return thawCgroup(this.#session.cgroup);
  }

  /**
   * Ends the session with its terminal frame, which the sampler takes: it is in the ring when this resolves, and the
   * recorder has taken the end. Idempotent; resolves to the frames still in the ring. What was frozen stays so.
   */
  stop(): Promise<TelemetryFrame[]> {
    this.#stopping ??= this.#session.finish('stop').then(() => this.readFrames());
    return this.#stopping;
  }

  async [asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** `ERR_INVALID_CONFIG` for a manual session: nothing samples it. */
  #sampled(method: string): SampledSession {
    if (this.#session instanceof SampledSession) return this.#session;
    throw invalidConfig(
      `${method}() is for sampled sessions; of a manual one collect() takes a frame`,
    );
  }
}

/** The session behind a handle, for the collector alone. */
const sessions = new WeakMap<TelemetryHandle, Session>();

export function sessionOf(handle: TelemetryHandle): Session {
  const session = sessions.get(handle);
  if (session === undefined) {
    throw invalidConfig('not a handle that a TelemetryCollector started');
  }
  return session;
}

/** `FrameFlag` bits of what a caller gave; `ERR_INVALID_CONFIG` for anything but flags. */
export function userFlags(flags: O11yFlags | undefined): number {
  if (flags === undefined) return 0;
  const own = ownFlags(flags);
  if (own !== null) return flagsToBits(own);
  throw invalidConfig('flags must be O11yFlags: O11yFlags.none.withX()');
}

function userStats(stats: unknown): ResourceStats<number | bigint> {
  const own = ownStats(stats);
  if (own !== null) return own;
  throw invalidConfig('stats must be ResourceStats');
}

/** `ERR_INVALID_CONFIG` for a sampled session: its ring has one writer, the sampler. */
export function manualSessionOf(handle: TelemetryHandle, method: string): ManualSession {
  const session = sessionOf(handle);
  if (session instanceof ManualSession) return session;
  throw invalidConfig(
    `${method}() is for sessions started with { manual: true }; this one is sampled: sampleNow()`,
  );
}
