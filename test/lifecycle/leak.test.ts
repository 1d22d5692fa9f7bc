import { expect, it } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { runScript } from '../support/run-script.js';

interface Usage {
  readonly fds: number;
  readonly rssBytes: number;
}

/**
 * The JS engine's sampler is a worker with a heap of its own, which this script's gc() does not reach: what that has not
 * collected yet is 12 MB of resident memory at times, and no leak.
 */
const SMALL_NURSERY = ['--max-semi-space-size=1'];

it.concurrent.each(ENGINES)(
  '10,000 starts and stops leak no descriptor and no memory, engine %s',
  async (engine) => {
    const script = new URL('./cycles.mjs', import.meta.url);
    const { before, half, after } = await runScript<Record<'before' | 'half' | 'after', Usage>>(
      script,
      [engine, 2_000, 10_000],
      SMALL_NURSERY,
    );
    expect(half.fds).toBe(before.fds);
    expect(after.fds).toBe(before.fds);
    // A leak of one small ring (1.5 KB) a cycle would be 7.5 MB in each half; an allocator's jitter is not a slope.
    const growthOfSecondHalf = after.rssBytes - half.rssBytes;
    expect(growthOfSecondHalf).toBeLessThan(4 * 1024 * 1024);
  },
  180_000,
);
