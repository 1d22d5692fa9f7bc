import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCutShort } from '../../src/reviewer/cut-short.js';

const cut = (text: string) => isCutShort(Buffer.from(text));

function expectEveryPrefixCut(text: string): void {
  const bytes = Buffer.from(text);
  expect(isCutShort(bytes)).toBe(false);
  for (let size = 1; size < bytes.length; size += 1) {
    if (!isCutShort(bytes.subarray(0, size))) {
      expect.fail(`${JSON.stringify(text)} of ${size} bytes is not taken for cut short`);
    }
  }
}

describe('cut at EVERY byte it is cut short, and whole it is not', () => {
  test.each([
    '{}',
    '{"a":-0.5e+10,"b":-0,"c":1E5,"d":12.75e-3}',
    '{"a":[true,false,null],"b":{"c":[[],{},""]}}',
    '{"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00":"\\u0000"}',
    '{"é€😀":"é€😀"}',
    '{ "a" :\t1 , "b" : [ 1 , { } ] }',
    '{"a":9007199254740993}',
  ])('%s', expectEveryPrefixCut);
});

describe('what no object begins like is not cut short', () => {
  test.each([
    '',
    ' ',
    'plain',
    'root:x:0:0',
    '[1',
    '"a',
    'tru',
    '1',
    '}',
    '\ufeff{"a"',
    '{,',
    '{:',
    '{{',
    '{[',
    '{1',
    '{a',
    "{'a",
    '{]',
    '{"a"}',
    '{"a" x',
    '{"a",',
    '{"a"1',
    '{"a"::',
    '{"a":,',
    '{"a":}',
    '{"a":1,}',
    '{"a":1,,',
    '{"a":1]',
    '{"a":1:',
    '{"a":1 2',
    '{"a":"b" "c',
    '{"a":01',
    '{"a":-01',
    '{"a":+1',
    '{"a":.5',
    '{"a":1.e',
    '{"a":1..',
    '{"a":--',
    '{"a":-a',
    '{"a":1e+-',
    '{"a":1ee',
    '{"a":1n',
    '{"a":0x',
    '{"a":NaN',
    '{"a":Inf',
    '{"a":True',
    '{"a":tru e',
    '{"a":truex',
    '{"a":nulL',
    '{"a":[,',
    '{"a":[1,]',
    '{"a":[1}',
    '{"a":[1:',
    '{"a":"\\x',
    '{"a":"\\u12g',
    '{"a":"\\u12"',
    '{"a":"\t',
    '{"\u0001',
    '{"a":\u0001',
    '{"a":\u00a0',
    '{\0',
    '{"a\0',
    '\0\0\0\0',
    '{"a":1}',
    ' {} ',
    '{"a":1} x',
    '{"a":1}{',
    '{"a":1}}',
  ])('%j', (text) => {
    expect(cut(text)).toBe(false);
  });

  test.each([
    ['a byte that is never one of UTF-8', '{"a":"', [0xff], 'b'],
    ['a character that is broken off in the middle', '{"a":"', [0xe2, 0x82], 'b'],
    ['the rest of a character without its beginning', '{"a":"', [0x82], ''],
    ['a character written too long', '{"a":"', [0xc0, 0x80], ''],
    ['half a surrogate pair', '{"a":"', [0xed, 0xa0, 0x80], ''],
    ['a character begun outside of a string', '{"a":1', [0xe2, 0x82], ''],
    ['a character begun in an escape', '{"a":"\\u1', [0xc3], ''],
    ['a character begun where a key is to come', '{', [0xc3], ''],
  ])('%s', (_what, before, bytes, after) => {
    expect(cut(before)).toBe(true);
    const whole = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)]);
    expect(isCutShort(whole)).toBe(false);
  });
});

test('a line of a million brackets, quotes or digits is no other', () => {
  expect(cut(`{"a":${'['.repeat(1_000_000)}`)).toBe(true);
  expect(cut(`{"a":"${'\\"'.repeat(1_000_000)}`)).toBe(true);
  expect(cut(`{"a":${'1'.repeat(1_000_000)}`)).toBe(true);
  expect(cut(`{"a":[${'1,'.repeat(1_000_000)}`)).toBe(true);
});

const object = fc.dictionary(
  fc.string({ unit: 'binary' }),
  fc.jsonValue({ stringUnit: 'binary', maxDepth: 2 }),
);

test('PROPERTY: whatever object a line has, cut at every byte it is cut short', () => {
  fc.assert(
    fc.property(object, fc.constantFrom(0, 1, '\t'), fc.boolean(), (value, indent, inAscii) => {
      const text = JSON.stringify(value, null, indent);
      expectEveryPrefixCut(inAscii ? escaped(text) : text);
    }),
    { numRuns: 150 },
  );
});

test('PROPERTY: it is cut short exactly where something can still make an object of it', () => {
  const piece = fc.constantFrom(
    ...['{', '}', '[', ']', ',', ':', '"', '\\', 'u', '0', '1', '-', '+', '.', 'e', ' ', '\u0001'],
    ...['"a"', '"a":', 'true', 'tr', 'nul', 'x', '1.5', '\\u00', 'é', ',"b":'],
  );
  const beginning = fc.constantFrom('', '{', '{"a":', '{"a":[', '{"a":"', '{"a":-', '{"a":1,');
  fc.assert(
    fc.property(beginning, fc.array(piece, { maxLength: 6 }), (begun, pieces) => {
      const text = begun + pieces.join('');
      expect([text, cut(text)]).toEqual([text, canStillBecomeObject(text)]);
    }),
    { numRuns: 4_000 },
  );
});

/** By trying what may be missing: the rest of a token, the rest of a member, and what is still open. */
function canStillBecomeObject(text: string): boolean {
  if (!text.trimStart().startsWith('{') || isJson(text)) return false;
  const escapes = ['\\', 'u0000', '0000', '000', '00', '0', ''].map((rest) => `${rest}"`);
  const words = ['rue', 'ue', 'e', 'ull', 'll', 'l', 'alse'];
  for (const token of ['', '0', ...escapes, ...words]) {
    for (const member of ['', ':0', '"":0']) {
      const completed = text + token + member;
      if (isJson(completed + closing(completed))) return true;
    }
  }
  return false;
}

function closing(text: string): string {
  const outside = text.replace(/"(?:[^"\\]|\\.)*"/g, '');
  let rest = '';
  for (const each of outside) {
    if (each === '{') rest = `}${rest}`;
    else if (each === '[') rest = `]${rest}`;
    else if (each === '}' || each === ']') rest = rest.slice(1);
  }
  return rest;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function escaped(text: string): string {
  return text.replace(
    /[^\0-~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
