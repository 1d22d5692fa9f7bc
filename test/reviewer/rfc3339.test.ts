import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochSecondsOf } from '../../src/reviewer/rfc3339.js';

describe('a date and time of RFC 3339 is its seconds since 1970', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01T00:00:00-00:00', 0],
    ['1969-12-31T23:59:59Z', -1],
    ['2026-03-01T12:00:00Z', 1_772_366_400],
    ['2026-03-01t12:00:00z', 1_772_366_400],
    ['2026-03-01T13:00:00+01:00', 1_772_366_400],
    ['2026-03-01T06:30:00-05:30', 1_772_366_400],
    ['2026-03-02T11:59:00+23:59', 1_772_366_400],
    ['2026-03-01T12:00:00.5Z', 1_772_366_400.5],
    ['2026-03-01T12:00:00.250000000000+00:00', 1_772_366_400.25],
    ['1969-12-31T23:59:59.75Z', -0.25],
    ['2024-02-29T00:00:00Z', 1_709_164_800],
    ['2000-02-29T23:59:59Z', 951_868_799],
    ['0000-01-01T00:00:00Z', -62_167_219_200],
    ['0000-02-29T00:00:00Z', -62_162_121_600],
    ['0099-12-31T00:00:00Z', -59_011_545_600],
    ['9999-12-31T23:59:59Z', 253_402_300_799],
  ])('%s: %d', (text, seconds) => {
    expect(epochSecondsOf(text)).toBe(seconds);
  });
});

describe('a leap second counts as the second before', () => {
  test.each([
    ['2016-12-31T23:59:60Z', 1_483_228_799],
    ['2017-01-01T00:59:60+01:00', 1_483_228_799],
    ['2016-12-31T18:59:60-05:00', 1_483_228_799],
    ['2016-12-31T23:59:60.5Z', 1_483_228_799.5],
    ['2015-06-30T23:59:60Z', 1_435_708_799],
    ['1972-02-29T23:59:60Z', 68_255_999],
  ])('%s', (text, seconds) => {
    expect(epochSecondsOf(text)).toBe(seconds);
  });

  test.each([
    '2026-03-01T12:00:60Z',
    '2016-12-30T23:59:60Z',
    '2016-12-31T22:59:60Z',
    '2016-12-31T23:58:60Z',
    '2016-12-31T23:59:60+01:00',
    '2017-01-01T00:59:60Z',
    '2016-02-28T23:59:60Z',
    '2016-12-31T23:59:61Z',
  ])('but there is none in %s', (text) => {
    expect(epochSecondsOf(text)).toBeNull();
  });
});

describe('anything else is null', () => {
  test.each([
    '',
    'now',
    'yesterday',
    '1772366400',
    '2026',
    '2026-03-01',
    '2026-03-01T12:00Z',
    '2026-03-01T12:00:00',
    '2026-03-01 12:00:00Z',
    '2026-03-01T12:00:00 Z',
    ' 2026-03-01T12:00:00Z',
    '2026-03-01T12:00:00Z ',
    '2026-03-01T12:00:00Z\n',
    '2026-03-01T12:00:00Z\0',
    '\ufeff2026-03-01T12:00:00Z',
    '2026-03-01T12:00:00Z2026-03-01T12:00:00Z',
    '2026-02-30T12:00:00Z',
    '2025-02-29T12:00:00Z',
    '1900-02-29T12:00:00Z',
    '2026-04-31T12:00:00Z',
    '2026-01-32T12:00:00Z',
    '2026-01-00T12:00:00Z',
    '2026-00-01T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-03-01T24:00:00Z',
    '2026-03-01T12:60:00Z',
    '2026-03-01T12:00:00.Z',
    '2026-03-01T12:00:00,5Z',
    '2026-03-01T12:00:00+24:00',
    '2026-03-01T12:00:00+01:60',
    '2026-03-01T12:00:00+01',
    '2026-03-01T12:00:00+0100',
    '2026-03-01T12:00:00+1:00',
    '2026-03-01T12:00:00−01:00',
    '2026-03-01T12:00:00UTC',
    '2026-3-01T12:00:00Z',
    '2026-03-1T12:00:00Z',
    '2026-03-01T1:00:00Z',
    '2026-03-01T12:0:00Z',
    '2026-03-01T12:00:0Z',
    '26-03-01T12:00:00Z',
    '12026-03-01T12:00:00Z',
    '+002026-03-01T12:00:00Z',
    '-2026-03-01T12:00:00Z',
    '20260301T120000Z',
    '２026-03-01T12:00:00Z',
    'Sun, 01 Mar 2026 12:00:00 GMT',
  ])('%j', (text) => {
    expect(epochSecondsOf(text)).toBeNull();
  });
});

const two = (value: number) => String(value).padStart(2, '0');

const offset = fc.oneof(
  fc.constant('Z'),
  fc
    .tuple(fc.constantFrom('+', '-'), fc.nat(23), fc.nat(59))
    .map(([sign, hours, minutes]) => `${sign}${two(hours)}:${two(minutes)}`),
);

test('PROPERTY: to the millisecond it is what Date.parse gives', () => {
  const min = new Date('0000-01-01');
  const max = new Date('9999-12-31');
  fc.assert(
    fc.property(fc.date({ min, max, noInvalidDate: true }), offset, (date, zone) => {
      const text = date.toISOString().replace('Z', zone);
      expect(Math.round(epochSecondsOf(text)! * 1000)).toBe(Date.parse(text));
    }),
    { numRuns: 2_000 },
  );
});

test('PROPERTY: of all fields it takes those that the calendar gives back', () => {
  const pair = (most: number) => fc.nat(most).map(two);
  fc.assert(
    fc.property(
      fc.nat(9999).map((year) => String(year).padStart(4, '0')),
      fc.tuple(pair(14), pair(33)),
      fc.tuple(pair(25), pair(61), pair(59)),
      (year, [month, day], time) => {
        const text = `${year}-${month}-${day}T${time.join(':')}.000Z`;
        const date = new Date(text);
        const isReal = !Number.isNaN(date.getTime()) && date.toISOString() === text;
        expect(epochSecondsOf(text)).toBe(isReal ? date.getTime() / 1000 : null);
      },
    ),
    { numRuns: 5_000 },
  );
});
