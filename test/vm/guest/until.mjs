import { setTimeout as delay } from 'node:timers/promises';

/** No test may wait longer for its whole story. Emulation is slow, so this is a bound and never a promise. */
export const PATIENCE = { timeout: 120_000 };

/** Polls until `condition` gives something true, and gives it on; fails with `what` after a minute. */
export async function until(what, condition) {
  const end = performance.now() + 60_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await delay(5);
  }
}

/** Waits for a promise, with the same bound. */
export async function within(what, promise) {
  const bound = new AbortController();
  const late = delay(60_000, null, { signal: bound.signal }).then(
    () => Promise.reject(new Error(`never came: ${what}`)),
    () => undefined,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    bound.abort();
  }
}
