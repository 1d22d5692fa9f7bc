/** How a child ended: what Node leaves out, the kernel tells. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { exitOf, signalName, signalNumber } from '../../src/kernel/child-exit.js';
import { ENGINES } from '../support/engines.js';
import { runScript } from '../support/run-script.js';

const shell = (script: string): ChildProcess => spawn('sh', ['-c', script], { stdio: 'ignore' });

const withAddon = ENGINES.includes('native');

test.runIf(withAddon).each([
  ['exit 0', { code: 0, signal: null }],
  ['exit 7', { code: 7, signal: null }],
  ['kill -9 $$', { code: null, signal: 'SIGKILL' }],
  ['kill -16 $$', { code: null, signal: 'SIGSTKFLT' }],
  ['kill -32 $$', { code: null, signal: 'signal 32' }],
  ['kill -34 $$', { code: null, signal: 'SIGRTMIN (34)' }],
  ['kill -50 $$', { code: null, signal: 'SIGRTMIN+16 (50)' }],
  ['kill -64 $$', { code: null, signal: 'SIGRTMIN+30 (64)' }],
])('%s is %j', async (script, exit) => {
  expect(await exitOf(shell(script))).toMatchObject(exit);
});

test('the end of a child that is reaped already is what Node told', async () => {
  const child = shell('exit 7');
  await once(child, 'exit');
  expect(await exitOf(child)).toMatchObject({ code: 7, signal: null, peakBytes: null });
});

test('where neither Node nor the kernel tells, the end is unknown', async () => {
  const child = Object.assign(new EventEmitter(), { pid: 1, exitCode: null, signalCode: null });
  const exit = exitOf(child);
  child.emit('exit', null, null);
  expect(await exit).toMatchObject({ code: null, signal: null, peakBytes: null });
});

test.runIf(withAddon)(
  'the peak of a child is not that of the process that started it',
  async () => {
    const ballast = Buffer.alloc(100 * 2 ** 20, 1);
    expect(await exitOf(shell('true'))).toMatchObject({ code: 0, peakBytes: null });
    expect(ballast.length).toBeGreaterThan(0);
  },
);

test.runIf(withAddon)('the peak of a child that had more than that is known', async () => {
  const bytes = process.memoryUsage.rss() * 2 + 200 * 2 ** 20;
  const script = `Buffer.alloc(${bytes}, 1)`;
  const { peakBytes } = await exitOf(spawn(process.execPath, ['-e', script], { stdio: 'ignore' }));
  expect(Number(peakBytes)).toBeGreaterThan(bytes);
});

describe.runIf(withAddon).each(['main', 'worker'])('in the %s thread', (thread) => {
  test('of many that end at once each is told', async () => {
    const counts = await runScript(new URL('child-exits.mjs', import.meta.url), [thread, 40]);
    expect(counts).toEqual({
      0: 20,
      'SIGRTMIN (34)': 5,
      'SIGRTMIN+2 (36)': 5,
      'SIGRTMIN+4 (38)': 5,
      'SIGRTMIN+6 (40)': 5,
    });
  });
});

test('every signal has one name, which gives its number back', () => {
  const names = Array.from({ length: 64 }, (_, i) => signalName(i + 1));
  expect(new Set(names).size).toBe(64);
  expect(names.map(signalNumber)).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
  for (const name of Object.keys(constants.signals)) expect(signalNumber(name)).not.toBeNull();
  expect(signalNumber('SIGNONE')).toBeNull();
});
