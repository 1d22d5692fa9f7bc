/** Hands a session's frames to its recorder when a trigger fires. */
import { TelemetryError } from '../error/index.js';
import type { TelemetryPolicy } from '../policy/index.js';
import { messageOf } from '../realm/index.js';
import type { HandleEvents, PromoteTrigger } from './events.js';
import type { FrameDrain } from './frame-drain.js';
import type { EndEntry, FrameSink, FramesEntry, SinkEntry, StartEntry } from './frame-sink.js';

/** At least this many frames may queue for a busy sink; more frames wait in the ring, and may be lost there. */
const LEAST_QUEUED = 8_192;

export interface PromoterOptions {
  readonly episodeId: string;
  readonly sink: FrameSink;
  readonly drain: FrameDrain;
  readonly policy: TelemetryPolicy;
  readonly emit: <K extends 'promoted' | 'warning'>(event: K, ...args: HandleEvents[K]) => void;
}

export class Promoter {
  readonly #options: PromoterOptions;
  readonly #mostQueued: number;
  readonly #queue: SinkEntry[] = [];
  #queuedFrames = 0;
  /** Settles when the queue is empty. */
  #idle: Promise<void> | null = null;
  /** The failure of the last write, or null: a sink that fails again in the same way is not reported again. */
  #failure: string | null = null;

  constructor(options: PromoterOptions) {
    this.#options = options;
    this.#mostQueued = Math.max(LEAST_QUEUED, options.policy.ringBufferCapacity);
  }

  start(entry: StartEntry): void {
    this.#enqueue(entry);
  }

  /** Promotes the frames in the ring that were not promoted before, if the policy has this trigger. */
  promote(trigger: PromoteTrigger, reason: string | null = null): void {
    const { episodeId, policy } = this.#options;
    if (!isOn(trigger, policy)) return;
    const { frames, missed } = this.#take(trigger);
    if (frames.length === 0 && reason === null) return;
    this.#queuedFrames += frames.length;
    this.#enqueue({ kind: 'frames', episodeId, trigger, reason, frames, missed });
  }

  /** Writes the last entry; resolves when the sink has taken it. Never rejects. */
  async end(entry: EndEntry): Promise<void> {
    this.#enqueue(entry);
    await this.#idle;
  }

  #take(trigger: PromoteTrigger): Pick<FramesEntry, 'frames' | 'missed'> {
    // The last frames come only once and are always queued.
    const full = this.#queuedFrames >= this.#mostQueued && trigger !== 'termination';
    if (full) return { frames: [], missed: 0 };
    try {
      return this.#options.drain.promote();
    } catch (error) {
      // Another holder of the ring corrupted it.
      this.#warn(error);
      return { frames: [], missed: 0 };
    }
  }

  #enqueue(entry: SinkEntry): void {
    this.#queue.push(entry);
    this.#idle ??= this.#write();
  }

  async #write(): Promise<void> {
    // Wait until the caller has returned: when a session starts, it cannot have a listener yet.
    await null;
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift()) {
      if (entry.kind === 'frames') this.#tell(entry);
      try {
        await this.#options.sink.write(entry);
        this.#failure = null;
      } catch (error) {
        this.#warn(error);
      }
      if (entry.kind === 'frames') this.#queuedFrames -= entry.frames.length;
    }
    this.#idle = null;
  }

  #tell({ trigger, frames, missed }: FramesEntry): void {
    const [first, last] = [frames[0], frames.at(-1)];
    if (first === undefined || last === undefined) return;
    const [firstSeq, lastSeq] = [Number(first.seq), Number(last.seq)];
    this.#options.emit('promoted', { trigger, frames: frames.length, firstSeq, lastSeq, missed });
  }

  #warn(cause: unknown): void {
    const error =
      cause instanceof TelemetryError
        ? cause
        : new TelemetryError('ERR_SINK_FAILED', `the recorder failed: ${messageOf(cause)}`, {
            cause,
          });
    const failure = `${error.code} ${error.message}`;
    if (failure !== this.#failure) this.#options.emit('warning', error);
    this.#failure = failure;
  }
}

function isOn(trigger: PromoteTrigger, { promoteTriggers }: TelemetryPolicy): boolean {
  switch (trigger) {
    case 'termination':
      return promoteTriggers.onTermination;
    case 'quarantine':
      return promoteTriggers.onQuarantine;
    case 'budgetThreshold':
      return promoteTriggers.onBudgetThreshold;
    case 'periodic':
      return promoteTriggers.periodicFrames > 0;
  }
}
