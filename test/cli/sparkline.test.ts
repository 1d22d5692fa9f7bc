import { expect, test } from 'vitest';
import { formatBytes, formatDuration, formatPercent, listOf } from '../../src/cli/format.js';
import { CpuTrace, sparkline } from '../../src/cli/sparkline.js';

function trace(points: readonly (readonly [number, number])[]): CpuTrace {
  const result = new CpuTrace();
  for (const [at, cpu] of points) result.add(BigInt(at), BigInt(cpu));
  return result;
}

test('shares are the slope of the cumulated cpu time', () => {
  expect(
    trace([
      [0, 0],
      [100, 100],
      [200, 100],
      [300, 300],
    ]).shares(24),
  ).toEqual([1, 0, 2]);
});

test('fewer columns than points: each is the mean of its span', () => {
  const points = Array.from({ length: 101 }, (_, at) => [at * 10, at < 50 ? 0 : (at - 50) * 10]);
  expect(trace(points as [number, number][]).shares(2)).toEqual([0, 1]);
});

test('frames that come unevenly are spread over the time they cover', () => {
  expect(
    trace([
      [0, 0],
      [10, 10],
      [400, 10],
    ]).shares(2),
  ).toEqual([0.05, 0]);
});

test('nothing to see before the second frame', () => {
  expect(trace([]).shares(24)).toEqual([]);
  expect(trace([[5, 5]]).shares(24)).toEqual([]);
  expect(
    trace([
      [5, 5],
      [5, 9],
    ]).shares(24),
  ).toEqual([]);
});

test('a run of any length keeps its total and its shape', () => {
  const long = new CpuTrace();
  const length = 100_000;
  for (let at = 0; at <= length; at += 1) long.add(BigInt(at), BigInt(Math.min(at, length / 2)));
  const shares = long.shares(10);
  expect(shares).toHaveLength(10);
  expect(shares.slice(0, 5).every((share) => Math.abs(share - 1) < 0.01)).toBe(true);
  expect(shares.slice(5).every((share) => share < 0.01)).toBe(true);
});

test('blocks', () => {
  expect(sparkline([0, 0.25, 0.5, 0.75, 1, 2, -1], 1)).toBe('▁▃▅▆██▁');
});

test('bytes, times, shares and lists as people read them', () => {
  expect([0n, 1023n, 1024n, 123_456_789n, 2n ** 63n - 1n].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '117.7 MiB',
    '8.0 EiB',
  ]);
  expect([0n, 999_000n, 1_500_000n, 3_214_000_000n, 123_400_000_000n].map(formatDuration)).toEqual([
    '0 µs',
    '999 µs',
    '1.5 ms',
    '3.214 s',
    '2 min 03.4 s',
  ]);
  expect([0, 0.0003, 0.012, 0.95, 7.5].map(formatPercent)).toEqual([
    '0 %',
    '0.03 %',
    '1.2 %',
    '95 %',
    '750 %',
  ]);
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listOf)).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
});
