import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { plainJson } from '../../src/reviewer/plain-json.js';
import { refusal } from './sample-event.js';

const REFUSED = refusal('ERR_REVIEWER_SERIALIZE');

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let each = 0; each < depth; each += 1) value = each % 2 === 0 ? [value] : { a: value };
  return value;
}

function cycle(): unknown {
  const value: { self?: unknown } = {};
  value.self = [value];
  return value;
}

class Point {
  x = 1;
}

describe('what JSON cannot say is ERR_REVIEWER_SERIALIZE', () => {
  test.each<[what: string, value: unknown]>([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['−Infinity', Number.NEGATIVE_INFINITY],
    ['undefined', undefined],
    ['a function', () => 0],
    ['a symbol', Symbol('s')],
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    ['a RegExp', /x/],
    ['an Error', new Error('x')],
    ['a promise', Promise.resolve()],
    ['bytes', new Uint8Array(1)],
    ['a boxed string', Object('x')],
    ['a boxed bigint', Object(1n)],
    ['an instance of a class', new Point()],
    ['a cycle', cycle()],
    ['an object whose toJSON gives itself', { toJSON: returnsThis }],
    ['the first half of a surrogate pair', 'a\ud83d'],
    ['the second half', '\ude00a'],
    ['two halves the wrong way round', '\ude00\ud83d'],
  ])('%s, alone, in an array and in an object', (what, value) => {
    expect(() => plainJson(value)).toThrow(REFUSED);
    expect(() => plainJson([value])).toThrow(REFUSED);
    if (what !== 'undefined') expect(() => plainJson({ a: { b: value } })).toThrow(REFUSED);
  });

  test('half a surrogate pair in a key', () => {
    expect(() => plainJson({ 'a\ud83d': 1 })).toThrow(REFUSED);
    expect(plainJson({ '\ud83d\ude00': '\ud83d\ude00' })).toEqual({ '😀': '😀' });
  });

  test('a hole in an array', () => {
    expect(() => plainJson(Array(2))).toThrow(REFUSED);
  });

  test('more than 127 levels, which other parsers do not read', () => {
    expect(plainJson(nested(127))).toEqual(nested(127));
    expect(() => plainJson(nested(128))).toThrow(REFUSED);
  });

  test('and the message says where', () => {
    expect(() => plainJson({ a: [0, { b: Number.NaN }] })).toThrow(/a\[1\]\.b is NaN/);
    expect(() => plainJson({ a: new Map() })).toThrow(/\.a is a Map/);
  });
});

test('members that are undefined are left out', () => {
  const plain = plainJson({ a: undefined, b: null, c: { d: undefined } });
  expect(plain).toStrictEqual({ b: null, c: {} });
});

test('toJSON is asked, at every depth', () => {
  const at = new Date('2026-03-01T12:00:00.500Z');
  const value = { at, list: [at, { toJSON: () => ({ a: 5n }) }] };
  expect(plainJson(value)).toEqual({
    at: '2026-03-01T12:00:00.500Z',
    list: ['2026-03-01T12:00:00.500Z', { a: 5n }],
  });
  expect(plainJson({ toJSON: 'no function' })).toEqual({ toJSON: 'no function' });
});

test.each([0, -1.5, 5e-324, Number.MAX_VALUE, 2n ** 100n, '', 'é\u0000\u2028', true, null])(
  'what JSON can say is what it was: %s',
  (value) => {
    expect(plainJson(value)).toBe(value);
    expect(plainJson({ a: [value] })).toEqual({ a: [value] });
  },
);

test('the copy is of this moment', () => {
  const inner = { list: [1, 2] };
  const value = { inner, twice: inner };
  const plain = plainJson(value);
  inner.list[0] = 5;
  value.twice = { list: [] };
  expect(plain).toEqual({ inner: { list: [1, 2] }, twice: { list: [1, 2] } });
});

test('objects of another realm, or without a prototype, are objects', () => {
  const foreign: unknown = runInNewContext(
    '({ a: [1, { b: "x" }], at: new Date(0), none: Object.create(null) })',
  );
  expect(plainJson(foreign)).toStrictEqual({
    a: [1, { b: 'x' }],
    at: '1970-01-01T00:00:00.000Z',
    none: {},
  });
  expect(() => plainJson(runInNewContext('new Map()'))).toThrow(REFUSED);
});

test('__proto__ is a key like any other', () => {
  const plain = plainJson(JSON.parse('{"__proto__":{"a":1}}'));
  expect(Object.entries(plain as object)).toEqual([['__proto__', { a: 1 }]]);
  expect(Object.getPrototypeOf(plain)).toBe(Object.prototype);
});

function returnsThis(this: unknown): unknown {
  return this;
}

test.each([
  [
    'a getter',
    {
      get a() {
        throw new Error('no');
      },
    },
  ],
  [
    'toJSON',
    {
      toJSON() {
        throw new TypeError('no');
      },
    },
  ],
  [
    'a proxy',
    (() => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    })(),
  ],
])('what throws when it is read is told as any other: %s', (_what, value) => {
  expect(() => plainJson(value)).toThrow(refusal('ERR_REVIEWER_SERIALIZE'));
});

test('an error stays readable however long the keys are', () => {
  try {
    plainJson({ ['k'.repeat(100_000)]: Number.NaN });
    expect.unreachable();
  } catch (error) {
    expect((error as Error).message.length).toBeLessThan(400);
  }
});
