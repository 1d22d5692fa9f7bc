import { expect, test } from 'vitest';
import { type RunEnd, toldOfEnd } from '../../src/reviewer/run-end.js';

const exhausted = (action: 'stop' | 'freeze' | 'kill') => ({
  resource: 'cpuMs' as const,
  limit: 500,
  consumed: 503,
  seq: 1,
  tsMono: 1,
  lateNs: null,
  action,
});
const ended = (code: number | null, signal: string | null, more: Partial<RunEnd> = {}): RunEnd => ({
  exit: { code, signal },
  exhausted: null,
  oomKills: null,
  ...more,
});

test.each<[RunEnd, string, string | undefined]>([
  [ended(0, null), 'run_complete', undefined],
  [ended(0, null, { oomKills: 2 }), 'run_complete', undefined],
  [ended(0, null, { exhausted: exhausted('kill') }), 'run_complete', undefined],
  [ended(3, null), 'run_crash', 'exit_code_3'],
  [ended(3, null, { oomKills: 0 }), 'run_crash', 'exit_code_3'],
  [ended(137, null, { oomKills: 1 }), 'run_crash', 'oom_kill'],
  [ended(null, 'SIGSEGV'), 'run_crash', 'SIGSEGV'],
  [ended(null, 'SIGRTMIN (34)'), 'run_crash', 'SIGRTMIN (34)'],
  [ended(null, null), 'run_crash', 'unknown_exit'],
  [ended(null, 'SIGKILL'), 'run_crash', 'SIGKILL'],
  [ended(null, 'SIGKILL', { oomKills: 0 }), 'run_crash', 'SIGKILL'],
  [ended(null, 'SIGKILL', { oomKills: 1 }), 'run_crash', 'oom_kill'],
  [ended(null, 'SIGKILL', { exhausted: exhausted('kill') }), 'run_crash', 'budget_exhausted'],
  [ended(null, 'SIGKILL', { exhausted: exhausted('freeze') }), 'run_crash', 'budget_exhausted'],
  [ended(null, 'SIGKILL', { exhausted: exhausted('stop') }), 'run_crash', 'SIGKILL'],
  [ended(null, 'SIGTERM', { exhausted: exhausted('kill') }), 'run_crash', 'SIGTERM'],
  [ended(1, null, { exhausted: exhausted('kill') }), 'run_crash', 'exit_code_1'],
])('%j is %s %s', (end, event, reasonCode) => {
  expect(toldOfEnd(end)).toMatchObject(
    reasonCode === undefined ? { event } : { event, reasonCode },
  );
  expect(toldOfEnd(end).reasonCode).toBe(reasonCode);
});
