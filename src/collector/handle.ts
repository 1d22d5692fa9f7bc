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

/** The state of a session at one moment. All counts are those of this session. */
export interface TelemetryHandleSnapshot {
  readonly episodeId: string;
  readonly pid: number;
  /** The seq that the next frame will have. */
  readonly seq: number;
  readonly elapsedNs: number;
  readonly framesCollected: number;
  /** Frames that were promoted to the recorder or returned by `drainFrames()`. */
  readonly framesPromoted: number;
  /** Frames that the ring no longer holds. */
  readonly framesOverwritten: number;
  /** Sample periods that passed without a sample because the sampler was late. */
  readonly deadlinesMissed: number;
  /** Frames in the ring that are not promoted yet. */
  readonly bufferLen: number;
  readonly bufferCapacity: number;
  /** The end was requested, or the terminal frame is in the ring. */
  readonly stopped: boolean;
  /** The limit that was reached first, null while none is. */
  readonly exhausted: ExhaustedEvent | null;
  /** Why the session ended, null before its terminal frame. */
  readonly stopReason: StopReason | null;
  /** A threshold of the budget, or a tripwire that speeds up, was tripped as of the newest frame. */
  readonly highFreqActive: boolean;
  /** The sources of the newest frame, or null before the first. */
  readonly sources: TelemetryFrame['sources'] | null;
}

/**
 * One running session of an episode. Made by `TelemetryCollector.start`.
 *
 * Emits `source`, `threshold`, `exhausted`, `promoted`, `warning`, `exit` and `stopped` (see `HandleEvents`); never
 * `error`. A listener that is added late loses nothing: each listener gets `exhausted`, `exit` and `stopped`, whenever
 * it is added; of every other kind, the first listener gets the first 64 events that had no listener yet. Each is
 * delivered once, and never before the call that adds the listener has returned.
 *
 * `stop()` (or `await using`) ends the session with its terminal frame.
 *
 * A running handle does not keep the process alive; a `stop()` or `sampleNow()` that has not resolved does. Like a
 * `ChildProcess`, a sampled session and its listeners are not garbage-collected until it has ended, even if nothing
 * else references the handle.
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

  /** The stats of the newest frame: those given to `nextFrame`, else those in the frame; null before the first. */
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
   * Returns the frames that were not drained before, oldest first. They count as promoted: a frame that is drained here
   * does not go to the recorder, and a frame that went to the recorder is not drained here.
   */
  drainFrames(): TelemetryFrame[] {
    return this.#session.drain.take();
  }

  /**
   * Returns the frames as they come, in batches, by a reader of its own: see `FrameReader.frames`. A `next()` that
   * waits keeps the process alive.
   *
   * Throws `ERR_INVALID_CONFIG` for invalid options.
   */
  frames(options?: FramesOptions): FrameBatches {
    return new FrameReader(this.share()).frames(options);
  }

  /** Returns what was consumed between `prevStats` and `stats`; never negative, null if either value is unavailable. */
  computeDelta(stats: ResourceStats<number | bigint>): StatsDelta {
    return statsDelta(this.prevStats, userStats(stats));
  }

  /**
   * Publishes one frame of the given stats, clamped like every frame. Manual sessions only.
   *
   * Throws `ERR_INVALID_CONFIG` on a sampled session and for anything but stats and flags, `ERR_STOPPED` after
   * `stop()`.
   */
  nextFrame(stats: ResourceStats<number | bigint>, flags?: O11yFlags): TelemetryFrame {
    const session = manualSessionOf(this, 'nextFrame');
    return session.publish(userStats(stats), userFlags(flags));
  }

  /**
   * Takes one frame now, by the sampler and independent of the period. Resolves to the terminal frame if the episode
   * ends first.
   *
   * Rejects with `ERR_INVALID_CONFIG` on a manual session (`collect()` is for those) and for anything but flags,
   * `ERR_STOPPED` after the end or `stop()`.
   */
  async sampleNow(flags?: O11yFlags): Promise<TelemetryFrame> {
    return this.#sampled('sampleNow').sampleNow(userFlags(flags));
  }

  /**
   * Samples every `ms` from now on, counted from the last deadline; the sampler adopts it within one wake, and the high
   * frequency period changes with it. The count of missed deadlines goes on. The policy, also in a recording, stays
   * that of the start.
   *
   * Throws `ERR_OUT_OF_RANGE` and `ERR_INVALID_CONFIG` as for `samplePeriodMs` of a policy, `ERR_INVALID_CONFIG` on a
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

  /** Returns the ring, which can be posted to any worker and read there with `new FrameReader(shared)`. */
  share(): SharedFrames {
    return { ring: this.#session.ring };
  }

  /**
   * Marks the episode as suspect: promotes what the ring holds, with the reason, if the policy has that trigger
   * (`PromoteTriggers.onQuarantine`) and the session has a recorder. The session goes on.
   *
   * Throws `ERR_INVALID_CONFIG` unless `reason` is a string that is not blank, `ERR_STOPPED` after the end.
   */
  quarantine(reason: string): void {
    this.#session.quarantine(reason);
  }

  /**
   * Thaws the episode's cgroup (`cgroup.freeze`), which an exhausted budget with `onExhausted: 'freeze'` has frozen. It
   * can be called after the session's end, which does not thaw the cgroup. Resolves when `cgroup.events` reports it
   * thawed; has no effect on a cgroup that is not frozen.
   *
   * Rejects with `ERR_CGROUP_NOT_AVAILABLE` (the episode has no cgroup), `ERR_CGROUP_NOT_FOUND` (it was removed),
   * `ERR_CGROUP_WRITE` (with the errno: no permission to write, `ETIMEDOUT` if an ancestor is frozen too).
   */
  thaw(): Promise<void> {
    return thawCgroup(this.#session.cgroup);
  }

  /**
   * Ends the session with its terminal frame, which the sampler takes: when this resolves, the frame is in the ring and
   * the recorder has taken the end. Idempotent; resolves to the frames still in the ring. A frozen cgroup stays frozen.
   */
  stop(): Promise<TelemetryFrame[]> {
    this.#stopping ??= this.#session.finish('stop').then(() => this.readFrames());
    return this.#stopping;
  }

  async [asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Throws `ERR_INVALID_CONFIG` for a manual session, which has no sampler. */
  #sampled(method: string): SampledSession {
    if (this.#session instanceof SampledSession) return this.#session;
    throw invalidConfig(
      `${method}() is for sampled sessions; of a manual one collect() takes a frame`,
    );
  }
}

/** The session behind each handle, for the collector alone. */
const sessions = new WeakMap<TelemetryHandle, Session>();

export function sessionOf(handle: TelemetryHandle): Session {
  const session = sessions.get(handle);
  if (session === undefined) {
    throw invalidConfig('not a handle that a TelemetryCollector started');
  }
  return session;
}

/** Returns the `FrameFlag` bits of a caller's flags. Throws `ERR_INVALID_CONFIG` for anything else. */
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

/** Throws `ERR_INVALID_CONFIG` for a sampled session: its ring has one writer, the sampler. */
export function manualSessionOf(handle: TelemetryHandle, method: string): ManualSession {
  const session = sessionOf(handle);
  if (session instanceof ManualSession) return session;
  throw invalidConfig(
    `${method}() is for sessions started with { manual: true }; this one is sampled: sampleNow()`,
  );
}
