import { assertOneOf, assertOptions, assertSignal, type OptionKeys } from '../error/index.js';
import { asyncDispose } from '../realm/index.js';
import type { FrameBatch, FrameCursor } from './frame-cursor.js';
import type { SlotSource } from './slot-source.js';

export interface FramesOptions {
  /**
   * `'oldest'` (default) starts with the first frame of the session; `missed` counts frames that the ring no longer
   * holds. `'latest'` starts with the newest frame; the frames before it do not count as missed.
   */
  readonly from?: 'oldest' | 'latest' | undefined;
  /** Ends the iteration when aborted: one `next()` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The iterator that `frames()` returns: batches of at least one frame, until the last frame of the session. */
export interface FrameBatches<N extends number | bigint = number>
  extends AsyncIterableIterator<FrameBatch<N>, undefined, undefined>,
    AsyncDisposable {
  /** Ends the iteration immediately; a pending `next()` resolves as done. */
  return(): Promise<IteratorReturnResult<undefined>>;
}

type Result<N extends number | bigint> = IteratorResult<FrameBatch<N>, undefined>;

interface Pending<N extends number | bigint> {
  readonly resolve: (result: Result<N>) => void;
  readonly reject: (reason: unknown) => void;
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

const FRAMES: OptionKeys<FramesOptions> = { from: true, signal: true };

/** Throws `ERR_INVALID_CONFIG`. */
export function assertFramesOptions(options: FramesOptions): void {
  assertOptions('options', options, FRAMES);
  assertOneOf('from', options.from, ['oldest', 'latest']);
  assertSignal(options.signal);
}

/**
 * Delivers the frames of a ring as they arrive. This is not an async generator because the `return()` of a generator
 * waits for a pending `next()`. Only a pending `next()` holds resources: a timer (or a registration with the ring's
 * waiters) and a listener on the signal.
 */
export class CursorBatches<N extends number | bigint> implements FrameBatches<N> {
  readonly #cursor: FrameCursor<N>;
  readonly #signal: AbortSignal | undefined;
  /** The pending calls, oldest first. */
  readonly #pending: Pending<N>[] = [];
  #stopWaiting: (() => void) | null = null;
  #missedReported = 0;
  #done = false;

  constructor(cursor: FrameCursor<N>, options: FramesOptions) {
    this.#cursor = cursor;
    this.#signal = options.signal;
    if (options.from === 'latest') cursor.slots.skipToLatest();
  }

  next(): Promise<Result<N>> {
    if (this.#done) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
      this.#serve();
    });
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#end();
    return Promise.resolve(DONE);
  }

  async [asyncDispose](): Promise<void> {
    this.#end();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Resolves pending calls with the available frames, and waits for more if calls remain. */
  readonly #serve = (): void => {
    this.#wait(null);
    try {
      this.#signal?.throwIfAborted();
      while (this.#pending.length > 0 && !this.#done) {
        const { slots } = this.#cursor;
        // Read before the frames, so that the wait notices a frame that arrives after this line.
        const { head, ended } = slots;
        const batch = this.#take();
        if (batch !== null) this.#pending.shift()?.resolve({ done: false, value: batch });
        else if (ended) this.#end();
        else {
          this.#wait(waitForNews(slots, head, this.#serve));
          return;
        }
      }
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #abort = (): void => this.#fail(this.#signal?.reason);

  /** Returns the next batch, or null if there are no frames. */
  #take(): FrameBatch<N> | null {
    const { slots } = this.#cursor;
    const { frames } = this.#cursor.read(slots.shape.capacity);
    if (frames.length === 0) return null;
    const missed = slots.missed - this.#missedReported;
    this.#missedReported = slots.missed;
    return { frames, missed };
  }

  /** Stores the function that stops the wait; null stops the current wait. */
  #wait(stop: (() => void) | null): void {
    if (stop === null && this.#stopWaiting !== null) {
      this.#stopWaiting();
      this.#signal?.removeEventListener('abort', this.#abort);
    }
    if (stop !== null) this.#signal?.addEventListener('abort', this.#abort);
    this.#stopWaiting = stop;
  }

  #fail(reason: unknown): void {
    this.#pending.shift()?.reject(reason);
    this.#end();
  }

  #end(): void {
    this.#done = true;
    this.#wait(null);
    for (const { resolve } of this.#pending.splice(0)) resolve(DONE);
  }
}

/** How often a reader that is not woken polls the ring in one sample period. */
const POLLS_PER_PERIOD = 16;
const MIN_POLL_MS = 1;
const MAX_POLL_MS = 100;
/** Polling interval for frames that are taken manually, without a period. */
const MANUAL_POLL_MS = 10;
/** An armed reader polls too, because the header's claim of a native writer may be from another copy of the addon. */
const ARMED_POLL_MS = 1000;

/**
 * Calls `onNews` once, asynchronously, when the head differs from `seenHead` or the ring has ended. Keeps the thread
 * alive until then, or until the returned function cancels the wait.
 */
export function waitForNews(slots: SlotSource, seenHead: number, onNews: () => void): () => void {
  const { waker } = slots;
  let disarm: (() => void) | null = null;
  const stop = () => {
    clearInterval(timer);
    disarm?.();
  };
  const news = () => {
    stop();
    onNews();
  };
  const intervalMs = () => (waker === null ? pollMs(slots.samplePeriodMs) : ARMED_POLL_MS);
  const poll = () => {
    if (slots.head !== seenHead || slots.ended) return news();
    if (intervalMs() === everyMs) return;
    // The period of the session has changed.
    clearInterval(timer);
    everyMs = intervalMs();
    timer = setInterval(poll, everyMs);
  };
  let everyMs = intervalMs();
  let timer = setInterval(poll, everyMs);
  if (waker === null) return stop;

  disarm = waker.arm(seenHead, news);
  if (disarm !== null) return stop;
  clearInterval(timer);
  const soon = setImmediate(onNews);
  return () => clearImmediate(soon);
}

function pollMs(samplePeriodMs: number): number {
  if (samplePeriodMs === 0) return MANUAL_POLL_MS;
  return Math.min(Math.max(samplePeriodMs / POLLS_PER_PERIOD, MIN_POLL_MS), MAX_POLL_MS);
}
