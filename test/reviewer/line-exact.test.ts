import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExact } from '../../src/ndjson/exact-json.js';
import { REVIEWER_EVENT_KINDS } from '../../src/reviewer/index.js';
import { lifecycleEventOf, lineOfEvent, lineOfValue } from '../../src/reviewer/lifecycle-event.js';
import { eventWith, refusal } from './sample-event.js';

describe('64-bit integers come through a line to the last digit', () => {
  test.each([
    '1',
    '9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '18446744073709551615',
  ])('the seq %s', (digits) => {
    const line = lineOfValue(eventWith({ seq: BigInt(digits) }));
    expect(line.endsWith(`,"seq":${digits}}`)).toBe(true);
    expect(lifecycleEventOf(parseExact(line))?.seq).toBe(BigInt(digits));
    expect(lineOfValue(parseExact(line))).toBe(line);
  });

  test('those in unknown keys, however deep', () => {
    const members = '"x":[{"y":-9223372036854775808}],"z":18446744073709551615}';
    const text = `${JSON.stringify(eventWith()).slice(0, -1)},${members}`;
    const line = lineOfValue(parseExact(text));
    expect(line.endsWith(members)).toBe(true);
    expect(lifecycleEventOf(parseExact(line))?.extra).toEqual({
      x: [{ y: -(2n ** 63n) }],
      z: 2n ** 64n - 1n,
    });
  });

  test('those of an object that is no lifecycle event', () => {
    const line = '{"event":"heartbeat","at":18446744073709551615}';
    expect(lineOfValue(parseExact(line))).toBe(line);
  });
});

test.each(['1e400', '-1e400', '[{"a":1e400}]'])(
  'a number beyond a double, which a parser makes an infinity of, is refused, not written as null: %s',
  (number) => {
    const value = parseExact(`${JSON.stringify(eventWith()).slice(0, -1)},"x":${number}}`);
    expect(() => lifecycleEventOf(value)).toThrow(refusal('ERR_REVIEWER_SERIALIZE'));
    expect(() => lineOfValue(value)).toThrow(refusal('ERR_REVIEWER_SERIALIZE'));
  },
);

const text = fc.string({ unit: 'binary' });
const solid = text.filter((each) => each.trim() !== '');

const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    text,
    fc.array(tie('json')),
    fc.dictionary(text, tie('json')),
  ),
}));

const name = fc.oneof(
  text,
  fc.constantFrom('1', '10', '2', '__proto__', 'toString', 'i9', '9007199254740993'),
);

const event = fc
  .tuple(
    fc.dictionary(name, json),
    fc.record(
      {
        ts: fc.date({
          min: new Date('0000-01-01'),
          max: new Date('9999-12-31'),
          noInvalidDate: true,
        }),
        event: fc.constantFrom(...REVIEWER_EVENT_KINDS, 'sha_update'),
        review_type: solid,
        pr_number: fc.nat(2 ** 32 - 1),
        head_sha: solid,
        seq: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
        schema_version: fc.constantFrom(1, null),
        run_id: fc.oneof(text, fc.constant(null)),
        restart_count: fc.oneof(fc.nat(), json),
        reason_code: fc.oneof(text, fc.constant(5)),
        reason: fc.oneof(text, fc.constant(5)),
        signal: text,
        detail: fc.oneof(text, fc.constant({})),
      },
      { requiredKeys: ['ts', 'event', 'review_type', 'pr_number', 'head_sha', 'seq'] },
    ),
  )
  .map(([extra, fields]) => ({ ...extra, ...fields }));

test('PROPERTY: the line of any event, read and written again, is the same bytes', () => {
  fc.assert(
    fc.property(event, (value) => {
      const line = lineOfValue(value);
      expect(line).not.toContain('\n');
      expect(lineOfValue(parseExact(line))).toBe(line);
      const typed = lifecycleEventOf(parseExact(line));
      expect(typed).not.toBeNull();
      expect(lineOfEvent(typed!)).toBe(line);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['half a surrogate pair', '\ud800'],
  ['NaN', Number.NaN],
  ['a function', () => 1],
])('an object that is no lifecycle event is held to JSON too: %s', (_what, a) => {
  expect(() => lineOfValue({ event: 'other', a })).toThrow(refusal('ERR_REVIEWER_SERIALIZE'));
  expect(() => lineOfValue({ event: 'other', b: { a } })).toThrow(
    refusal('ERR_REVIEWER_SERIALIZE'),
  );
});

test('a flat object and a nested one are written alike', () => {
  const flat = { event: 'other', a: 1, b: null, c: 'x', d: 2n ** 60n, e: undefined };
  expect(lineOfValue(flat)).toBe(
    '{"event":"other","a":1,"b":null,"c":"x","d":1152921504606846976}',
  );
  expect(lineOfValue({ ...flat, f: [] })).toBe(
    '{"event":"other","a":1,"b":null,"c":"x","d":1152921504606846976,"f":[]}',
  );
});
