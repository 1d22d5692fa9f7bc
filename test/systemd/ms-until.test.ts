import { expect, test } from 'vitest';
import { msUntil } from '../../src/systemd/index.js';

test('a deadline beyond what a timer counts is the longest timer, a past one none', () => {
  const now = performance.now();
  expect(msUntil(now + 1e12)).toBe(2 ** 31 - 1);
  expect(msUntil(now - 1)).toBe(0);
  expect(msUntil(Number.POSITIVE_INFINITY)).toBe(2 ** 31 - 1);
});
