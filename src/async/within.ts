/** Waiting with a deadline and an abort signal. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Wait {
  /** In `performance.now()` ms. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What `act` resolves to, unless the wait is over first: throws the reason of an aborted signal, and `late()` at the
 * deadline. What `act` began goes on all the same, and how it ends is ignored.
 *
 * The timer of the deadline keeps the process alive meanwhile, because what is waited for may not.
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

/** Resolves when `act` has settled, or after `ms`: it goes on by itself then. Never rejects. */
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

/** For `setTimeout`, which takes a delay that is too large for none. `deadline` is one of `performance.now()`. */
export function msUntil(deadline: number): number {
  return Math.min(MOST_TIMER_MS, Math.max(0, deadline - performance.now()));
}
