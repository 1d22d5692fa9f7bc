import { expect, it } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { scriptEnd } from '../support/script-end.js';

interface Report {
  readonly faults: readonly string[];
  readonly left: { readonly threads: number; readonly files: number };
  readonly lines: number;
  readonly distinct: number;
}

const EVALUATIONS = 6;
const EVENTS_EACH = 8;

it.each(ENGINES)(
  'evaluations of the package in one thread, in any number of threads, do not disturb each other, engine %s',
  async (engine) => {
    const script = new URL('./evaluations.mjs', import.meta.url);
    const { stdout, ...how } = await scriptEnd(script, [engine], 120_000, [
      '--experimental-vm-modules',
      '--no-warnings',
    ]);
    expect(how).toEqual({ code: 0, signal: null, stderr: '' });
    const { faults, left, lines, distinct } = JSON.parse(stdout) as Report;
    expect(faults).toEqual([]);
    expect(left.threads).toBeLessThanOrEqual(0);
    expect(left.files).toBeLessThanOrEqual(0);
    // The log of main: without the addon the workers have logs of their own.
    const threads = engine === 'native' ? 4 : 1;
    expect({ lines, distinct }).toEqual({
      lines: threads * EVALUATIONS * EVENTS_EACH,
      distinct: threads * EVALUATIONS * EVENTS_EACH,
    });
  },
  150_000,
);
