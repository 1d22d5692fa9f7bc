import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { killDescendants } from '../../src/scope/index.js';
import { alive, until } from '../support/cli.js';

// Everything carries a word of its own in its environment, so that survivors are found wherever they went.
const word = `episcope_kill_${process.pid}`;

function carriers(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(word) && alive(pid);
      } catch {
        return false;
      }
    });
}

test('a tree that forks while it is killed dies to the last process, its root lives', async () => {
  const forks = 'while :; do (sleep 0.02; sleep 600) & sleep 0.01; done';
  const tree = spawn('/bin/sh', ['-c', `${forks} & ${forks} & ${forks} & exec sleep 600`], {
    env: { ...process.env, [word]: '1' },
    stdio: 'ignore',
  });
  await until('a bush of processes', () => carriers().length > 30);
  await killDescendants(tree.pid!);
  expect(alive(tree.pid!)).toBe(true);
  expect(carriers()).toEqual([tree.pid]);
  tree.kill('SIGKILL');
});

test('stopped processes are killed, and nobody is a valid tree', async () => {
  const tree = spawn('/bin/sh', ['-c', 'sleep 600 & kill -STOP $!; sleep 600; :'], {
    env: { ...process.env, [`${word}2`]: '1' },
    stdio: 'ignore',
  });
  const two = () => carriers().filter((pid) => pid !== tree.pid);
  await until('two children', () => two().length >= 2);
  expect(await killDescendants(tree.pid!)).toBe(2);
  await until('them to be gone', () => two().length === 0);
  tree.kill('SIGKILL');
  expect(await killDescendants(2 ** 31 - 1)).toBe(0);
});
