import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { killDescendants } from '../../src/scope/index.js';
import { alive, until } from '../support/cli.js';
import { MARK, processesMarked } from '../support/left-behind.js';

const trees: ChildProcess[] = [];

afterEach(() => {
  for (const tree of trees.splice(0)) tree.kill('SIGKILL');
});

function start(script: string): number {
  const tree = spawn('/bin/sh', ['-c', script], { stdio: 'ignore' });
  trees.push(tree);
  return tree.pid!;
}

/** Everything that this test started, wherever it went. */
function carriers(): number[] {
  return processesMarked(process.env[MARK]!).map(({ pid }) => pid);
}

test('a tree that forks while it is killed dies to the last process, its root lives', async () => {
  const forks = 'while :; do (sleep 0.02; sleep 600) & sleep 0.01; done';
  const root = start(`${forks} & ${forks} & ${forks} & exec sleep 600`);
  await until('a bush of processes', () => carriers().length > 30);
  await killDescendants(root);
  // At once: a process that got its SIGKILL and waits for a cpu to die has not been killed yet.
  expect(carriers()).toEqual([root]);
  expect(alive(root)).toBe(true);
});

test('stopped processes are killed', async () => {
  const root = start('sleep 600 & kill -STOP $!; sleep 600; :');
  await until('two children', () => carriers().length === 3);
  expect(await killDescendants(root)).toBe(2);
  expect(carriers().filter((pid) => pid !== root)).toEqual([]);
});

test('nobody is a valid tree', async () => {
  expect(await killDescendants(2 ** 31 - 1)).toBe(0);
});
