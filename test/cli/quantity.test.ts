import { describe, expect, test } from 'vitest';
import { parseSize, parseTime } from '../../src/cli/quantity.js';
import { UsageError } from '../../src/cli/usage.js';

describe('a time', () => {
  test.each<[string, bigint]>([
    ['500', 500_000_000n],
    ['0', 0n],
    ['0.3', 300_000n],
    ['0.0000019', 1n],
    ['1ns', 1n],
    ['250us', 250_000n],
    ['250\u00b5s', 250_000n],
    ['250\u03bcs', 250_000n],
    ['2.5ms', 2_500_000n],
    ['1.5s', 1_500_000_000n],
    ['2m', 120_000_000_000n],
    ['2min', 120_000_000_000n],
    ['1.5h', 5_400_000_000_000n],
    ['9223372036854775807ns', 2n ** 63n - 1n],
  ])('%s is %s ns', (text, ns) => {
    expect(parseTime('--cpu-ms', text)).toBe(ns);
  });

  test.each([
    '',
    ' ',
    '-1',
    '+1',
    'x',
    '1 s',
    '1e3',
    'Infinity',
    'NaN',
    '1M',
    '1S',
    '1,5s',
    '.5s',
    '1.',
    '1.5ns',
    '0x10',
  ])('%j is none', (text) => {
    expect(() => parseTime('--cpu-ms', text)).toThrow(UsageError);
    expect(() => parseTime('--cpu-ms', text)).toThrow(/^--cpu-ms wants a time like 500, 1\.5s/);
  });

  test('beyond 2^63 − 1 ns is refused', () => {
    for (const text of ['9223372036854775808ns', '9223372036855', '2562048h', '9'.repeat(40)]) {
      expect(() => parseTime('--wall-ms', text)).toThrow(/^--wall-ms is at most 2\^63 − 1 ns/);
    }
  });
});

describe('a size', () => {
  test.each<[string, bigint]>([
    ['4096', 4096n],
    ['7B', 7n],
    ['64k', 65_536n],
    ['64K', 65_536n],
    ['64KiB', 65_536n],
    ['512M', 536_870_912n],
    ['512mi', 536_870_912n],
    ['1.5G', 1_610_612_736n],
    ['0.0001K', 0n],
    ['2T', 2n ** 41n],
    ['1P', 2n ** 50n],
    ['9223372036854775807', 2n ** 63n - 1n],
  ])('%s is %s bytes', (text, bytes) => {
    expect(parseSize('--io-bytes', text)).toBe(bytes);
  });

  test.each(['', '-1', '1.5', '1.5B', '1KB', '1e9', '1 G', 'G', '1GG', 'infinity', '１'])(
    '%j is none',
    (text) => {
      expect(() => parseSize('--io-bytes', text)).toThrow(
        /^--io-bytes wants a size like 4096, 512M/,
      );
    },
  );

  test('beyond 2^63 − 1 bytes is refused', () => {
    for (const text of ['9223372036854775808', '8192P']) {
      expect(() => parseSize('--memory-max', text)).toThrow(/^--memory-max is at most 2\^63 − 1/);
    }
  });
});
