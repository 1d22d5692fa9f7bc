import { expect, it } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';
import { runScript } from '../support/run-script.js';

interface Slope {
  readonly bytesPerFrame: number;
  readonly collections: number;
  readonly frames: number;
}

// What V8 itself puts on the heap when some function has run often enough, its feedback and its code, is up to 57 KB at a
// moment that depends on the load of the host. So all that is there from the first call on, and nothing is optimized.
const ALL_AT_ONCE = ['--always-sparkplug', '--no-lazy-feedback-allocation', '--no-opt'];

const measure = async (
  engine: string,
  mode: 'sampled' | 'collected',
  run: readonly number[],
): Promise<Slope> => {
  const cgroup = new FixtureCgroup();
  const script = new URL('./heap-slope.mjs', import.meta.url);
  try {
    return await runScript<Slope>(script, [engine, mode, cgroup.path, ...run], ALL_AT_ONCE);
  } finally {
    cgroup.remove();
  }
};

it.concurrent.each(ENGINES)(
  'sampled frames allocate no JavaScript heap in the thread that started them, engine %s',
  async (engine) => {
    const slope = await measure(engine, 'sampled', [500, 500, 3_000]);
    expect(slope.frames).toBeGreaterThanOrEqual(2_900);
    // One heap number a frame would be 16 bytes.
    expect(slope.bytesPerFrame).toBeLessThan(4);
    expect(slope.collections).toBe(0);
  },
  60_000,
);

it('the measurement sees frames that do allocate', async () => {
  const slope = await measure('js', 'collected', [500, 500, 2_000]);
  expect(slope.collections).toBeGreaterThan(0);
}, 60_000);
