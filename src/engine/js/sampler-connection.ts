/** The connection to the worker that samples the episodes of this thread. */
import {
  isMainThread,
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  type Worker,
} from 'node:worker_threads';
import { BudgetCounters } from '../../budget/counters.js';
import { TelemetryError } from '../../error/index.js';
import { messageOf } from '../../realm/index.js';
import { threadMap } from '../../realm/thread-map.js';
import { bindRing } from '../../ring/header.js';
import { SAMPLER_END_LIMIT_NS } from '../../schema/bounds.js';
import type { SampledEpisode, SamplerNews, SamplingSpec } from '../engine.js';
import { failureToError, placeOf } from '../failure-error.js';
import { endAbandonedRing } from './abandoned-ring.js';
import { noNews } from './mailbox.js';
import {
  type EpisodeNews,
  Gate,
  type SamplerRequest,
  type SamplerWorkerData,
  type StartOutcome,
} from './sampler-messages.js';

/** How long an exiting thread waits for the terminal frames of its episodes. */
const END_LIMIT_MS = Number(SAMPLER_END_LIMIT_NS) / 1e6;

/** Starts `sampler-worker.js` with `data`, which contains a port to transfer. */
export type StartSamplerWorker = (data: SamplerWorkerData) => Worker;

/**
 * Functions that end the idle samplers of other evaluations of the package in this thread. A sampler takes 8 MB, and an
 * evaluation is not notified when it is no longer used.
 */
const otherSamplers = threadMap<object, () => void>('js-samplers');

interface Owned {
  readonly ring: SharedArrayBuffer;
  readonly onNews: (news: SamplerNews) => void;
  readonly notifyEvery: number;
  /** Requests that have not been answered. */
  readonly pending: Set<number>;
}

export class SamplerConnection {
  readonly #worker: Worker;
  readonly #gate = new Int32Array(new SharedArrayBuffer(Gate.WORDS * Int32Array.BYTES_PER_ELEMENT));
  readonly #outcomes: MessagePort;
  readonly #episodes = new Map<number, Owned>();
  /** Episodes whose news this thread is waiting for. */
  readonly #waiting = new Set<number>();
  readonly #startLimitMs: number;
  #lastId = 0;
  #alive = true;
  #deathCause: string | null = null;

  /** `startLimitMs` limits how long `start` blocks. */
  constructor(startWorker: StartSamplerWorker, startLimitMs: number) {
    this.#startLimitMs = startLimitMs;
    for (const endIfIdle of [...otherSamplers.values()]) endIfIdle();
    const { port1, port2 } = new MessageChannel();
    this.#outcomes = port1;
    this.#worker = startWorker({ gate: this.#gate, outcomes: port2 });
    this.#worker.on('message', (batch: readonly EpisodeNews[]) => this.#take(batch));
    this.#worker.once('error', (error) => {
      this.#deathCause = messageOf(error);
    });
    this.#worker.once('exit', (code) => this.#died(code));
    this.#worker.unref();
    otherSamplers.set(this, () => this.#endIfIdle());
  }

  /** Whether the worker accepts episodes. */
  get alive(): boolean {
    return this.#alive && !this.#ended;
  }

  /** Known before the worker's events, which need a turn of this thread's event loop. */
  get #ended(): boolean {
    return Atomics.load(this.#gate, Gate.ENDED) === 1;
  }

  /** Implements `Engine.startEpisode`. Throws `ERR_ENGINE_UNAVAILABLE` if the worker does not answer in time. */
  start(spec: SamplingSpec, onNews: (news: SamplerNews) => void): SampledEpisode {
    // Checked here because the worker cannot throw to the caller.
    bindRing(spec.ring);
    if (spec.budget !== null) BudgetCounters.attach(spec.budget.memory);
    const id = ++this.#lastId;
    if (!this.#request({ kind: 'start', id, spec }, this.#startLimitMs)) {
      this.#alive = false;
      void this.#worker.terminate();
      throw unavailable(
        this.#ended ? 'its worker exited' : `it did not answer within ${this.#startLimitMs} ms`,
      );
    }
    const outcome: StartOutcome = receiveMessageOnPort(this.#outcomes)?.message;
    if (typeof outcome === 'string') throw unavailable(outcome);
    if (outcome !== null) throw failureToError(outcome, placeOf(spec));
    const { ring, notifyEvery } = spec;
    this.#episodes.set(id, { ring, onNews, notifyEvery, pending: new Set() });
    // When the main thread exits, all readers end with it.
    if (!isMainThread && this.#episodes.size === 1) process.once('exit', this.#endAll);
    return this.#handle(id);
  }

  #handle(id: number): SampledEpisode {
    return {
      requestFrame: (request, flags) => {
        this.#episodes.get(id)?.pending.add(request);
        this.#post({ kind: 'frame', id, request, flags });
      },
      requestEnd: () => this.#post({ kind: 'end', id }),
      setTripwires: (tripwires) => this.#post({ kind: 'tripwires', id, tripwires }),
      setPeriod: (periodNs, fastPeriodNs) =>
        this.#post({ kind: 'period', id, periodNs, fastPeriodNs }),
      setWaiting: (waiting) => {
        if (waiting && this.#episodes.has(id)) this.#waiting.add(id);
        else this.#waiting.delete(id);
        this.#keepAlive();
      },
    };
  }

  #post(request: SamplerRequest): void {
    this.#worker.postMessage(request);
  }

  /** Posts a request and blocks until the worker has served it. Returns false if it does not within the limit. */
  #request(request: SamplerRequest, limitMs: number): boolean {
    Atomics.store(this.#gate, Gate.OPEN, 0);
    this.#post(request);
    const end = performance.now() + limitMs;
    // A notification may belong to the previous request; only the value shows that this one has been served.
    while (Atomics.load(this.#gate, Gate.OPEN) === 0) {
      const left = end - performance.now();
      if (left <= 0 || this.#ended) return false;
      Atomics.wait(this.#gate, Gate.OPEN, 0, left);
    }
    return !this.#ended;
  }

  #take(batch: readonly EpisodeNews[]): void {
    this.#post({ kind: 'taken' });
    for (const { id, news, terminal } of batch) {
      const owned = this.#episodes.get(id);
      if (owned === undefined) continue;
      for (const { request } of news.replies) owned.pending.delete(request);
      if (terminal !== null) {
        this.#episodes.delete(id);
        this.#waiting.delete(id);
        if (this.#episodes.size === 0) process.off('exit', this.#endAll);
      }
      deliver(owned, terminal === null ? news : answered(news, owned, terminal));
    }
    this.#keepAlive();
  }

  // A thread that waits for any of its episodes stays alive.
  #keepAlive(): void {
    if (this.#waiting.size > 0) this.#worker.ref();
    else this.#worker.unref();
  }

  #endIfIdle(): void {
    if (this.#episodes.size > 0) return;
    this.#alive = false;
    otherSamplers.delete(this);
    void this.#worker.terminate();
  }

  #died(code: number): void {
    this.#alive = false;
    otherSamplers.delete(this);
    process.off('exit', this.#endAll);
    this.#outcomes.close();
    const failure = this.#deathCause ?? `the worker of the sampler exited with code ${code}`;
    for (const owned of this.#episodes.values()) deliver(owned, abandoned(owned, failure));
    this.#episodes.clear();
  }

  // Called when the thread exits, so that readers in other threads get the last frame of each ring.
  readonly #endAll = (): void => {
    if (this.#episodes.size > 0) this.#request({ kind: 'endAll' }, END_LIMIT_MS);
  };
}

// Delivers in a microtask, so that an exception of one owner does not lose the news of the others.
function deliver({ onNews }: Owned, news: SamplerNews): void {
  queueMicrotask(() => onNews(news));
}

/** Answers requests with the terminal frame if they arrived after the worker had taken it. */
function answered(news: SamplerNews, { pending }: Owned, words: BigUint64Array): SamplerNews {
  const late = [...pending].map((request) => ({ request, words }));
  return { ...news, replies: [...news.replies, ...late] };
}

function abandoned(owned: Owned, failure: string): SamplerNews {
  const frames = owned.notifyEvery > 0;
  const news = { ...noNews(), frames, ended: { exited: false, failure } };
  try {
    return answered(news, owned, endAbandonedRing(owned.ring, process.hrtime.bigint()));
  } catch {
    // Another holder of the ring has corrupted it.
    return news;
  }
}

function unavailable(why: string): TelemetryError {
  return new TelemetryError(
    'ERR_ENGINE_UNAVAILABLE',
    `the sampler of the JS engine failed: ${why}`,
  );
}
