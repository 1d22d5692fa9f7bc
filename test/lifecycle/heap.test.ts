import { describe, expect, it } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';
import { runScript } from '../support/run-script.js';

interface Slope {
  readonly bytesPerFrame: number;
  readonly collections: number;
  readonly frames: number;
}

const measure = async (engine: string, run: readonly number[]): Promise<Slope> => {
  const cgroup = new FixtureCgroup();
  const script = new URL('./heap-slope.mjs', import.meta.url);
  try {
    return await runScript<Slope>(script, [engine, cgroup.path, ...run]);
  } finally {
    cgroup.remove();
  }
};

describe.runIf(ENGINES.includes('native'))('the native engine', () => {
  it('sampled frames allocate no JavaScript heap', async () => {
    const slope = await measure('native', [20_000, 10_000, 60_000]);
    expect(slope.frames).toBe(90_001);
    // One heap number a frame would be 16 bytes.
    expect(slope.bytesPerFrame).toBeLessThan(4);
    expect(slope.collections).toBe(0);
  }, 60_000);
});

it('the measurement sees an engine that does allocate', async () => {
  const slope = await measure('js', [1_000, 1_000, 20_000]);
  expect(slope.collections).toBeGreaterThan(0);
}, 60_000);
