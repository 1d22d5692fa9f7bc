import { assertOneOf, assertOptions, assertSignal, type OptionKeys } from '../error/index.js';
import { asyncDispose } from '../realm/index.js';
import type { FrameBatch, FrameCursor } from './frame-cursor.js';
import { waitForNews } from './wait.js';

export interface FramesOptions {
  /**
   * `'oldest'`, the default: every frame of the session; `missed` tells of those that the ring no longer held.
   * `'latest'`: the newest frame there is and those after it; what is skipped by that is not missed.
   */
  readonly from?: 'oldest' | 'latest' | undefined;
  /** Ends the iteration: `next()` rejects with its reason, once. */
  readonly signal?: AbortSignal | undefined;
}

/** What `frames()` gives: batches of at least one frame, until the session has ended and all was delivered. */
export interface FrameBatches<N extends number | bigint = number>
  extends AsyncIterableIterator<FrameBatch<N>, undefined, undefined>,
    AsyncDisposable {
  /** Ends the iteration at once, also while a `next()` is pending: that is done then. */
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
 * The frames of a ring as they come. Written by hand because the `return()` of an async generator waits for a pending
 * `next()`. Only a pending `next()` holds anything: a timer (or the place among the ring's waiters) and a listener of
 * the signal.
 */
export class CursorBatches<N extends number | bigint> implements FrameBatches<N> {
  readonly #cursor: FrameCursor<N>;
  readonly #signal: AbortSignal | undefined;
  /** In the order of their calls. */
  readonly #pending: Pending<N>[] = [];
  #stopWaiting: (() => void) | null = null;
  #missedTold = 0;
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

  /** Gives the pending calls what there is, and waits for more on behalf of the first that got nothing. */
  readonly #serve = (): void => {
    this.#wait(null);
    try {
      this.#signal?.throwIfAborted();
      while (this.#pending.length > 0 && !this.#done) {
        const { slots } = this.#cursor;
        // Looked at before the frames: what comes after this look is not lost to the wait.
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

  /** The next batch, null where there is no frame. */
  #take(): FrameBatch<N> | null {
    const { slots } = this.#cursor;
    const { frames } = this.#cursor.read(slots.shape.capacity);
    if (frames.length === 0) return null;
    const missed = slots.missed - this.#missedTold;
    this.#missedTold = slots.missed;
    return { frames, missed };
  }

  /** Remembers how to stop waiting; null stops it. */
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
