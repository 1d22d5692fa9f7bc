/**
 * However a thread that uses the package ends, and wherever it is then: the process ends, as it should, and says
 * nothing. Each case is a process of its own.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../support/engines.js';
import { killMarked, MARK } from '../support/left-behind.js';
import { type ScriptEnd, scriptEnd } from '../support/script-end.js';

// Whoever ends in the middle of an action leaves the episode behind.
afterAll(() => killMarked(String(process.env[MARK])));

const STAGES = [
  'created',
  'started',
  'sampling',
  'reading',
  'enforcing',
  'closing',
  'stopped',
  'dropped',
];

const cases = (ends: readonly string[]): { stage: string; end: string }[] =>
  STAGES.flatMap((stage) => ends.map((end) => ({ stage, end })));

const QUIET = { code: 0, signal: null, stderr: '' };

const ENDS_OF_MAIN: Readonly<Record<string, Omit<ScriptEnd, 'stdout'>>> = {
  'nothing left to do': QUIET,
  'process.exit()': QUIET,
  'an uncaught throw': {
    code: 1,
    signal: null,
    stderr: expect.stringContaining('Error: on purpose'),
  },
  SIGTERM: { code: null, signal: 'SIGTERM', stderr: '' },
};

const ENDS_OF_WORKER = [
  'nothing left to do',
  'process.exit()',
  'an uncaught throw',
  'terminate()',
  'the end of main',
  'process.exit() of main',
];

describe.each(ENGINES)('engine %s', (engine) => {
  it.concurrent.each(cases(Object.keys(ENDS_OF_MAIN)))(
    'main, $stage, ends by $end',
    async ({ stage, end }) => {
      const script = new URL('./exit-main.mjs', import.meta.url);
      const ended = await scriptEnd(script, [engine, stage, end]);
      expect(ended).toEqual({ ...ENDS_OF_MAIN[end], stdout: `${stage}\n` });
    },
    60_000,
  );

  const exitWorker = new URL('./exit-worker.mjs', import.meta.url);

  it.concurrent.each(cases(ENDS_OF_WORKER))(
    'a worker that loads the addon alone, $stage, ends by $end',
    async ({ stage, end }) => {
      const ended = await scriptEnd(exitWorker, [engine, stage, end, 1]);
      expect(ended).toEqual({ ...QUIET, stdout: `${stage}\n` });
    },
    60_000,
  );

  it.concurrent.each(ENDS_OF_WORKER.filter((end) => !end.includes('main')))(
    'workers that sample, one after the other, end by %s',
    async (end) => {
      const ended = await scriptEnd(exitWorker, [engine, 'sampling', end, 5]);
      expect(ended).toEqual({ ...QUIET, stdout: 'sampling\n'.repeat(5) });
    },
    60_000,
  );
});

// The JS engine's sampler is a worker of the worker, and terminated with it.
const ENDED_RINGS = [
  ['native', 'nothing left to do'],
  ['native', 'process.exit()'],
  ['native', 'an uncaught throw'],
  ['native', 'terminate()'],
  ['js', 'nothing left to do'],
  ['js', 'process.exit()'],
  ['js', 'an uncaught throw'],
] as const;

it.concurrent.each(ENDED_RINGS.filter(([engine]) => ENGINES.includes(engine)))(
  'engine %s: the ring of a worker that ended by %s has its terminal frame, and its reader in main the end',
  async (engine, end) => {
    const script = new URL('./exit-ring.mjs', import.meta.url);
    const { stdout, ...how } = await scriptEnd(script, [engine, end]);
    expect(how).toEqual(QUIET);
    const { terminal, last, accounted } = JSON.parse(stdout) as Record<string, unknown>;
    expect(terminal).toEqual([last]);
    expect(accounted).toBe((last as number) + 1);
  },
  60_000,
);
