import { randomInt } from 'node:crypto';
import { expect, it } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { scriptEnd } from '../support/script-end.js';

interface Report {
  readonly faults: readonly string[];
  readonly rings: number;
  readonly files: number;
}

it.concurrent.each(ENGINES)(
  '100 workers of one process open, read and die in random order and ways, engine %s',
  async (engine) => {
    const seed = Number(process.env.EPISCOPE_TEST_SEED ?? randomInt(2 ** 31));
    const again = `EPISCOPE_TEST_SEED=${seed}`;
    const script = new URL('./workers.mjs', import.meta.url);
    const { stdout, ...how } = await scriptEnd(script, [engine, 100, seed], 120_000);
    expect(how, again).toEqual({ code: 0, signal: null, stderr: '' });
    const { faults, rings, files } = JSON.parse(stdout) as Report;
    expect(faults, again).toEqual([]);
    expect(files, again).toBeLessThanOrEqual(0);
    expect(rings, again).toBeGreaterThan(0);
  },
  150_000,
);
