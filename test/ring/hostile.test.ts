import { expect, test } from 'vitest';
import { runScript } from '../support/run-script.js';
import { READERS } from './readers.js';

interface Told {
  readonly frames: number;
  readonly opened: number;
  readonly codes: Record<string, number>;
  readonly other: string[];
  readonly overrun: boolean;
}

// In a process of its own: a reader that believed a lie would take the test runner with it.
test.concurrent.each(READERS.flatMap(([kind]) => [1, 2, 3].map((seed) => [kind, seed] as const)))(
  'a reader of %s survives memory that changes under it, seed %i',
  async (kind, seed) => {
    const told = await runScript<Told>(new URL('./hostile.mjs', import.meta.url), [kind, seed]);
    expect(told.other).toEqual([]);
    expect(told.overrun).toBe(false);
    // Both ways out were taken.
    expect(told.frames).toBeGreaterThan(0);
    expect(told.codes.ERR_RING_CORRUPT).toBeGreaterThan(0);
  },
);
