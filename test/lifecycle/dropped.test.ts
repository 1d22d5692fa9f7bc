import { expect, it } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { runScript } from '../support/run-script.js';

it.concurrent.each(ENGINES)(
  'of sessions that ended, stopped or dropped, nothing is left but one sampler, engine %s',
  async (engine) => {
    const script = new URL('./dropped.mjs', import.meta.url);
    const left = await runScript<Record<'alive' | 'files' | 'threads', number>>(script, [
      engine,
      20,
    ]);
    expect(left.alive).toBe(0);
    expect(left.files).toBe(0);
    expect(left.threads).toBeLessThanOrEqual(1);
  },
  60_000,
);
