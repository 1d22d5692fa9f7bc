import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when `condition` holds; the test's own time limit is the bound. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(1);
}

/** The same without a turn of the event loop; it gives up after a time that only a broken sampler needs. */
export function blockUntil(condition: () => boolean): void {
  const end = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error('blocked in vain');
  }
}
