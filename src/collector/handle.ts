import { EventEmitter } from 'node:events';
import type { EngineName } from '../engine/engine.js';
import { TelemetryError } from '../error/index.js';
import type { O11yFlags, TelemetryFrame } from '../frame/index.js';
import { flagsToBits } from '../frame/o11y-flags.js';
import { FrameReader, type SharedFrames } from '../ring/index.js';
import { type ResourceStats, statsOfFrame, wordsOfStats } from '../stats/index.js';
import { type StatsDelta, statsDelta } from './delta.js';
import type { HandleEvents } from './events.js';
import type { Session } from './session.js';

/** A session at one moment. Counts are of this session. */
export interface TelemetryHandleSnapshot {
  readonly episodeId: string;
  readonly pid: number;
  /** The seq that the next frame will have. */
  readonly seq: number;
  readonly elapsedNs: number;
  readonly framesCollected: number;
  /** Frames that `drainFrames()` gave out. */
  readonly framesPromoted: number;
  /** Frames that the ring no longer holds. */
  readonly framesOverwritten: number;
  /** Sample periods that passed without a sample of their own. */
  readonly deadlinesMissed: number;
  /** Frames in the ring that were not drained yet. */
  readonly bufferLen: number;
  readonly bufferCapacity: number;
  readonly stopped: boolean;
  readonly highFreqActive: boolean;
  /** Sources of the newest frame, or null before the first. */
  readonly sources: TelemetryFrame['sources'] | null;
}

/**
 * One running session of an episode. Made by `TelemetryCollector.start`.
 *
 * Emits `source`, `exhausted`, `warning`, `exit` and `stopped` (see `HandleEvents`); never `error`. A handle does
 * not keep the process alive; `stop()` (or `await using`) ends it with its terminal frame.
 */
export class TelemetryHandle extends EventEmitter<HandleEvents> {
  readonly episodeId: string;
  readonly pid: number;
  readonly #session: Session;
  readonly #drain: FrameReader<number>;
  #promoted = 0;

  /** @internal Use `TelemetryCollector.start`. */
  constructor(episodeId: string, pid: number, open: (handle: TelemetryHandle) => Session) {
    super();
    this.episodeId = episodeId;
    this.pid = pid;
    this.#session = open(this);
    this.#drain = new FrameReader(this.share());
    sessions.set(this, this.#session);
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

  /** What the newest frame says, as stats; null before the first frame. */
  get prevStats(): ResourceStats | null {
    const frame = this.latest();
    return frame === null ? null : statsOfFrame(frame);
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

  /** The frames that were not drained before, oldest first; they count as promoted. */
  drainFrames(): TelemetryFrame[] {
    const { frames } = this.#drain.read(this.#drain.capacity);
    this.#promoted += frames.length;
    return frames;
  }

  /** What was consumed between the newest frame and `stats`; never negative, null where either is unavailable. */
  computeDelta(stats: ResourceStats): StatsDelta {
    return statsDelta(this.prevStats, stats);
  }

  /**
   * Publishes one frame of the given stats, with the clamps of every frame. Manual sessions only.
   *
   * Throws `ERR_INVALID_CONFIG` on a sampled session, `ERR_STOPPED` after `stop()`.
   */
  nextFrame(stats: ResourceStats, flags?: O11yFlags): TelemetryFrame {
    assertManual(this.#session, 'nextFrame');
    return this.#session.publish(wordsOfStats(stats), flags === undefined ? 0 : flagsToBits(flags));
  }

  snapshot(): TelemetryHandleSnapshot {
    const session = this.#session;
    const written = session.framesCollected;
    const capacity = session.policy.ringBufferCapacity;
    return {
      episodeId: this.episodeId,
      pid: this.pid,
      seq: written,
      elapsedNs: Number(process.hrtime.bigint() - session.startMonoNs),
      framesCollected: written,
      framesPromoted: this.#promoted,
      framesOverwritten: Math.max(0, written - capacity),
      deadlinesMissed: session.deadlinesMissed,
      bufferLen: this.#drain.available,
      bufferCapacity: capacity,
      stopped: session.stopped,
      highFreqActive: false,
      sources: session.latest()?.sources ?? null,
    };
  }

  /** The ring, to be posted to any worker and read there with `new FrameReader(shared)`. */
  share(): SharedFrames {
    return { ring: this.#session.ring };
  }

  /** Ends the session with its terminal frame. Idempotent; resolves to the frames still in the ring. */
  async stop(): Promise<TelemetryFrame[]> {
    await this.#session.finish('stop');
    return this.readFrames();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** The session behind a handle, for the collector alone. */
const sessions = new WeakMap<TelemetryHandle, Session>();

export function sessionOf(handle: TelemetryHandle): Session {
  const session = sessions.get(handle);
  if (session === undefined) {
    throw new TelemetryError(
      'ERR_INVALID_CONFIG',
      'not a handle that a TelemetryCollector started',
    );
  }
  return session;
}

export function assertManual(session: Session, method: string): void {
  if (!session.manual) {
    throw new TelemetryError(
      'ERR_INVALID_CONFIG',
      `${method}() is for sessions started with { manual: true }; this one is sampled`,
    );
  }
}
