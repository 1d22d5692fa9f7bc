import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { nextSeqOf } from '../../src/reviewer/sequence.js';
import { scratch } from '../support/scratch.js';
import { eventOf } from './events.js';

const directory = scratch();
const newPath = () => join(mkdtempSync(join(directory, 'log-')), 'log');
const lineOf = (seq: number, more: object = {}) => `${JSON.stringify(eventOf(seq, more))}\n`;

test('begins with 1, and gives none twice', async () => {
  const path = newPath();
  expect(await Promise.all([1, 2, 3].map(() => nextSeqOf(path, 7)))).toEqual([1n, 2n, 3n]);
  expect(await nextSeqOf(path, 8)).toBe(1n);
  expect(await nextSeqOf(newPath(), 7)).toBe(1n);
});

test('another evaluation of the package in this thread is given none of them either', async () => {
  const path = newPath();
  expect(await nextSeqOf(path, 7)).toBe(1n);
  vi.resetModules();
  const again = await import('../../src/reviewer/sequence.js');
  expect(again.nextSeqOf).not.toBe(nextSeqOf);
  expect(await Promise.all([again, { nextSeqOf }].map((each) => each.nextSeqOf(path, 7)))).toEqual([
    2n,
    3n,
  ]);
});

test('goes on after what the log has by then, of that pull request', async () => {
  const path = newPath();
  writeFileSync(path, lineOf(10) + lineOf(90, { pr_number: 8 }) + lineOf(9));
  expect(await nextSeqOf(path, 7)).toBe(11n);
  appendFileSync(path, lineOf(20));
  expect(await nextSeqOf(path, 7)).toBe(21n);
  expect(await nextSeqOf(path, 8)).toBe(91n);
});

test('sees a line that was half there when it last looked', async () => {
  const path = newPath();
  const line = lineOf(30);
  writeFileSync(path, lineOf(10) + line.slice(0, 50));
  expect(await nextSeqOf(path, 7)).toBe(11n);
  appendFileSync(path, line.slice(50));
  expect(await nextSeqOf(path, 7)).toBe(31n);
});

test('sees what came before and after a rotation', async () => {
  const path = newPath();
  writeFileSync(path, lineOf(10));
  expect(await nextSeqOf(path, 7)).toBe(11n);
  appendFileSync(path, lineOf(40));
  renameSync(path, `${path}.1`);
  writeFileSync(path, lineOf(30));
  expect(await nextSeqOf(path, 7)).toBe(41n);
  writeFileSync(`${path}.1`, '');
  rmSync(path);
  writeFileSync(path, lineOf(50));
  expect(await nextSeqOf(path, 7)).toBe(51n);
});

test('goes on through what is malformed, and beyond 2^53', async () => {
  const path = newPath();
  const large = lineOf(5).replace('"seq":5', '"seq":9007199254740993');
  writeFileSync(path, `nonsense\n${lineOf(0)}${large}{"cut`);
  expect(await nextSeqOf(path, 7)).toBe(9007199254740994n);
});
