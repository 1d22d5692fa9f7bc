import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExact, stringifyExact } from '../../src/ndjson/exact-json.js';

describe('integers are exact', () => {
  test.each([
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775809', -9223372036854775809n],
    ['[9223372036854775807,1]', [9223372036854775807n, 1]],
    [
      '{"a" : 9223372036854775807 , "b":{"c":9007199254740993}}',
      { a: 2n ** 63n - 1n, b: { c: 2n ** 53n + 1n } },
    ],
  ])('%s', (text, value) => {
    expect(parseExact(text)).toEqual(value);
  });

  test('what is no integer is the double it always was', () => {
    expect(
      parseExact('[0.1234567890123456789, 12345678901234567890.5, 12345678901234567890e3]'),
    ).toEqual(
      JSON.parse('[0.1234567890123456789, 12345678901234567890.5, 12345678901234567890e3]'),
    );
  });
});

describe('strings are left alone', () => {
  test.each([
    '"9223372036854775807"',
    '"\\"9223372036854775807"',
    '"\\\\",9223372036854775807,"\\\\\\"1234567890123456789"',
    '"i9223372036854775807","s9223372036854775807"',
    '"\\u0069\\u0073 1234567890123456789"',
    '"{\\"seq\\":1234567890123456789}"',
    '"1234567890123456789:","::"',
  ])('%s', (members) => {
    const text = `[${members},1111111111111111111]`;
    const rounded = JSON.parse(text) as unknown[];
    const exact = parseExact(text) as unknown[];
    expect(exact.map((each) => (typeof each === 'bigint' ? Number(each) : each))).toEqual(rounded);
    expect(exact.at(-1)).toBe(1111111111111111111n);
  });

  test('keys too, whatever they hold', () => {
    const text = '{"1234567890123456789":1234567890123456789,"i1":"i1","__proto__" : 1}';
    const parsed = parseExact(text) as Record<string, unknown>;
    expect(Object.entries(parsed)).toEqual([
      ['1234567890123456789', 1234567890123456789n],
      ['i1', 'i1'],
      ['__proto__', 1],
    ]);
  });
});

test.each([
  '',
  '{',
  '01234567890123456789',
  '{1234567890123456789:1}',
  '1234567890123456789 1',
  '"1234567890123456789',
  '1234567890123456789n',
  '[1234567890123456789,]',
  '\u0000',
])('what is no JSON is a SyntaxError: %j', (text) => {
  expect(() => parseExact(text)).toThrow(SyntaxError);
});

test('a line of quotes and backslashes costs no more than its length', () => {
  const text = `["${'\\"'.repeat(400_000)}",1234567890123456789]`;
  expect((parseExact(text) as unknown[])[1]).toBe(1234567890123456789n);
  expect(() => parseExact(`${'"\\'.repeat(400_000)}1234567890123456789`)).toThrow(SyntaxError);
});

test('of what is not wanted no integer is exact, and it may be as deep as any JSON', () => {
  const text = `[1234567890123456789,${'['.repeat(100_000)}${']'.repeat(100_000)}]`;
  const seen: unknown[] = [];
  const refuse = (value: unknown) => {
    seen.push(value);
    return false;
  };
  const parsed = parseExact(text, refuse) as unknown[];
  expect(parsed[0]).toBe(1234567890123456800);
  expect(seen[0]).toBe(parsed);
});

const exactJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((each) => !Number.isInteger(each)),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }),
    fc.bigInt({ min: -(2n ** 80n), max: -(2n ** 53n) }),
    fc.string({ unit: 'binary' }),
    fc.stringMatching(/^[is"\\{:,}]*\d{15,20}[:"\\]*$/),
    fc.array(tie('value')),
    fc.dictionary(fc.oneof(fc.string(), fc.stringMatching(/^\d{16,20}:?$/)), tie('value')),
  ),
})).value;

test('PROPERTY: what is written is what is read, to the last digit', () => {
  fc.assert(
    fc.property(exactJson, (value) => {
      const normal = JSON.parse(JSON.stringify(value, bigintAsText), textAsBigint);
      expect(parseExact(stringifyExact(value as never))).toEqual(normal);
    }),
    { numRuns: 2_000 },
  );
});

test('PROPERTY: rounded, it is what JSON.parse gives; and it refuses what JSON.parse refuses', () => {
  const pieces = fc.constantFrom(
    '"',
    '\\',
    '\\"',
    ':',
    ',',
    '{',
    '}',
    '[',
    ']',
    ' ',
    '-',
    '.',
    'e',
    '0',
    'a',
    '1234567890123456789',
    '"1234567890123456789"',
    '"k":',
    'null',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      const plain = outcomeOf(() => JSON.parse(text));
      const exact = outcomeOf(() => rounded(parseExact(text)));
      expect(exact).toEqual(plain);
    }),
    { numRuns: 20_000 },
  );
});

function bigintAsText(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `i${value}`;
  return typeof value === 'string' ? `s${value}` : value;
}

function textAsBigint(_key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value.startsWith('i') ? BigInt(value.slice(1)) : value.slice(1);
}

function outcomeOf(parse: () => unknown): unknown {
  try {
    return { value: parse() };
  } catch {
    return 'refused';
  }
}

function rounded(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, rounded(each)]));
}
