import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadlines } from '../../src/async/within.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('each expires at its own time, and none that was taken back', () => {
  const deadlines = new Deadlines(100);
  const expired: string[] = [];
  deadlines.add(() => expired.push('first'));
  vi.advanceTimersByTime(40);
  deadlines.add(() => expired.push('second'));
  const takeBack = deadlines.add(() => expired.push('never'));
  vi.advanceTimersByTime(59);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(expired).toEqual(['first']);
  takeBack();
  vi.advanceTimersByTime(39);
  expect(expired).toEqual(['first']);
  vi.advanceTimersByTime(1);
  expect(expired).toEqual(['first', 'second']);
  // And from then on anew.
  deadlines.add(() => expired.push('third'));
  vi.advanceTimersByTime(100);
  expect(expired).toEqual(['first', 'second', 'third']);
  expect(vi.getTimerCount()).toBe(0);
});
