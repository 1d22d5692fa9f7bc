import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { atMost, msUntil, within } from '../../src/async/within.js';

const never = () => new Promise<never>(() => {});
const late = () => new Error('late');
const far = () => performance.now() + 1e6;

test('a deadline beyond what a timer counts is the longest timer, a past one none', () => {
  const now = performance.now();
  expect(msUntil(now + 1e12)).toBe(2 ** 31 - 1);
  expect(msUntil(now - 1)).toBe(0);
  expect(msUntil(Number.POSITIVE_INFINITY)).toBe(2 ** 31 - 1);
});

test('a wait gives what it waited for, value or error', async () => {
  expect(await within({ deadline: far() }, async () => 5, late)).toBe(5);
  const failing = within({ deadline: far() }, () => Promise.reject(new Error('no')), late);
  await expect(failing).rejects.toThrow('no');
});

test('a wait for what never comes ends at its deadline', async () => {
  const wait = within({ deadline: performance.now() }, never, late);
  await expect(wait).rejects.toThrow('late');
});

test('a wait is aborted with the reason of its signal, before and while it waits', async () => {
  const reason = new Error('enough');
  const before = within({ deadline: far(), signal: AbortSignal.abort(reason) }, never, late);
  await expect(before).rejects.toBe(reason);
  const abort = new AbortController();
  const during = within({ deadline: far(), signal: abort.signal }, never, late);
  abort.abort(reason);
  await expect(during).rejects.toBe(reason);
});

test('a wait that is over listens to its signal no longer', async () => {
  const { signal } = new AbortController();
  await within({ deadline: far(), signal }, async () => 5, late);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('what takes longer than it may goes on by itself, and its failure is nobody’s', async () => {
  let fail = (_: Error): void => {};
  const stalled = new Promise<never>((_, reject) => {
    fail = reject;
  });
  await atMost(0, stalled);
  fail(new Error('afterwards'));
  await atMost(1e6, Promise.reject(new Error('at once')));
});
