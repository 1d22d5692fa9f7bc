import { expect, it } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';
import { runScript } from '../support/run-script.js';

interface Slope {
  readonly bytesPerFrame: number;
  readonly collections: number;
  readonly frames: number;
}

const measure = async (
  engine: string,
  mode: 'sampled' | 'collected',
  run: readonly number[],
): Promise<Slope> => {
  const cgroup = new FixtureCgroup();
  const script = new URL('./heap-slope.mjs', import.meta.url);
  try {
    return await runScript<Slope>(script, [engine, mode, cgroup.path, ...run]);
  } finally {
    cgroup.remove();
  }
};

it.each(ENGINES)(
  'sampled frames allocate no JavaScript heap in the thread that started them, engine %s',
  async (engine) => {
    const slope = await measure(engine, 'sampled', [500, 500, 3_500]);
    expect(slope.frames).toBeGreaterThanOrEqual(2_900);
    // One heap number a frame would be 16 bytes.
    expect(slope.bytesPerFrame).toBeLessThan(4);
    expect(slope.collections).toBe(0);
  },
  60_000,
);

it('the measurement sees frames that do allocate', async () => {
  const slope = await measure('js', 'collected', [1_000, 1_000, 20_000]);
  expect(slope.collections).toBeGreaterThan(0);
}, 60_000);
