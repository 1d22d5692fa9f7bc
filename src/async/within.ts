/** Waiting with a deadline and an abort signal. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Wait {
  /** In `performance.now()` ms. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves to the result of `act`, unless the wait ends first: throws the reason of an aborted signal, or `late()` at
 * the deadline. What `act` began continues nevertheless, and its outcome is ignored.
 *
 * The deadline's timer keeps the process alive meanwhile, because the operation itself may not.
 */
export async function within<T>(
  { deadline, signal }: Wait,
  act: () => Promise<T>,
  late: () => Error,
): Promise<T> {
  signal?.throwIfAborted();
  const over = new AbortController();
  const either = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  const end = sleep(msUntil(deadline), undefined, { signal: either }).then(
    () => {
      throw late();
    },
    () => {
      signal?.throwIfAborted();
      return new Promise<never>(() => {});
    },
  );
  end.catch(() => {});
  try {
    return await Promise.race([act(), end]);
  } finally {
    over.abort();
  }
}

/** Resolves when `act` has settled, or after `ms`; `act` then continues on its own. Never rejects. */
export async function atMost(ms: number, act: Promise<unknown>): Promise<void> {
  const settled = act.then(
    () => {},
    () => {},
  );
  await within(
    { deadline: performance.now() + ms },
    () => settled,
    () => new Error('late'),
  ).catch(() => {});
}

const MOST_TIMER_MS = 2 ** 31 - 1;

/** A delay for `setTimeout`, which treats too large a delay as none. `deadline` is in `performance.now()` ms. */
export function msUntil(deadline: number): number {
  return Math.min(MOST_TIMER_MS, Math.max(0, deadline - performance.now()));
}

interface Deadline {
  readonly atMs: number;
  readonly expire: () => void;
}

/** Deadlines with one common timeout, served by a single timer that does not keep the process alive. */
export class Deadlines {
  readonly #timeoutMs: number;
  /** Ordered by deadline. */
  readonly #waiting = new Set<Deadline>();
  #isArmed = false;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Calls `expire` at the deadline, unless the returned function is called first. */
  add(expire: () => void): () => void {
    const deadline = { atMs: performance.now() + this.#timeoutMs, expire };
    this.#waiting.add(deadline);
    if (!this.#isArmed) this.#arm(this.#timeoutMs);
    return () => void this.#waiting.delete(deadline);
  }

  /** A deadline that is added meanwhile does not re-arm the timer: an occasional check is cheaper. */
  #arm(ms: number): void {
    this.#isArmed = true;
    setTimeout(() => this.#look(), Math.max(1, ms)).unref();
  }

  #look(): void {
    this.#isArmed = false;
    const nowMs = performance.now();
    for (const deadline of this.#waiting) {
      if (deadline.atMs > nowMs) {
        this.#arm(deadline.atMs - nowMs);
        return;
      }
      this.#waiting.delete(deadline);
      deadline.expire();
    }
  }
}

/** One listener per signal, because many appends may share a signal and Node warns about many listeners. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `act` when the signal is aborted, unless the returned function was called before. */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  const acts = waiting.get(signal) ?? listenTo(signal);
  acts.add(act);
  return () => void acts.delete(act);
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const acts = new Set<() => void>();
  waiting.set(signal, acts);
  signal.addEventListener('abort', () => {
    for (const act of acts) act();
  });
  return acts;
}
