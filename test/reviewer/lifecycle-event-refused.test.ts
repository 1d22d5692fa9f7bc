import { describe, expect, test } from 'vitest';
import type { ReviewerLifecycleEventInit } from '../../src/reviewer/index.js';
import { canonicalizeReviewerEventValue } from '../../src/reviewer/index.js';
import { lifecycleEventOf, lineOfEvent, lineOfValue } from '../../src/reviewer/lifecycle-event.js';
import { eventWith, refusal } from './sample-event.js';

const INVALID = refusal('ERR_REVIEWER_INVALID_EVENT');

describe('a lifecycle event without what it must have is ERR_REVIEWER_INVALID_EVENT', () => {
  test.each<[why: string, fields: { readonly [key: string]: unknown }]>([
    ['another schema', { schema: 'apm2.reviewer.lifecycle_event.v2' }],
    ['an empty schema', { schema: '' }],
    ['a schema that is no text', { schema: ['apm2.reviewer.lifecycle_event.v1'] }],
    ['another version', { schema_version: 2 }],
    ['a version of 0', { schema_version: 0 }],
    ['a version as text', { schema_version: '1' }],
    ['a version that is true', { schema_version: true }],
    ['no ts', { ts: undefined }],
    ['a ts of null', { ts: null }],
    ['a ts in seconds', { ts: 1772366400 }],
    ['an empty ts', { ts: '' }],
    ['a ts with blanks around it', { ts: ' 2026-03-01T12:00:00Z' }],
    ['a ts without an offset', { ts: '2026-03-01T12:00:00' }],
    ['a ts of a day that there is not', { ts: '2026-02-29T12:00:00Z' }],
    ['no review_type', { review_type: undefined }],
    ['an empty review_type', { review_type: '' }],
    ['a blank review_type', { review_type: ' \t\n\u00a0' }],
    ['a review_type that is no text', { review_type: 5 }],
    ['no head_sha', { head_sha: undefined }],
    ['an empty head_sha', { head_sha: '' }],
    ['a blank head_sha', { head_sha: ' ' }],
    ['a head_sha of null', { head_sha: null }],
    ['no pr_number', { pr_number: undefined }],
    ['a pr_number of −1', { pr_number: -1 }],
    ['a pr_number of −1n', { pr_number: -1n }],
    ['a pr_number of 2^32', { pr_number: 4294967296 }],
    ['a pr_number of 2^32, a bigint', { pr_number: 4294967296n }],
    ['half a pr_number', { pr_number: 1.5 }],
    ['a pr_number as text', { pr_number: '5' }],
    ['a pr_number of null', { pr_number: null }],
    ['no seq', { seq: undefined }],
    ['a seq of 0', { seq: 0 }],
    ['a seq of 0n', { seq: 0n }],
    ['a negative seq', { seq: -7 }],
    ['a seq of 2^64', { seq: 2n ** 64n }],
    ['a seq that a double does not hold', { seq: 2 ** 53 }],
    ['a seq of 2^64 − 1 that was rounded', { seq: Number(2n ** 64n - 1n) }],
    ['half a seq', { seq: 0.5 }],
    ['a seq as text', { seq: '7' }],
  ])('%s', (_why, fields) => {
    const value = eventWith(fields);
    expect(() => lifecycleEventOf(value)).toThrow(INVALID);
    expect(() => canonicalizeReviewerEventValue(value)).toThrow(INVALID);
    expect(() => lineOfValue(value)).toThrow(INVALID);
  });

  test.each([[0], [4294967295], [4294967295n], [0n]])('but the pr_number %s is one', (pr) => {
    expect(lifecycleEventOf(eventWith({ pr_number: pr }))?.prNumber).toBe(Number(pr));
  });

  test.each([[1], [2 ** 53 - 1], [1n], [2n ** 53n], [2n ** 64n - 1n]])(
    'but the seq %s is one',
    (seq) => {
      expect(lifecycleEventOf(eventWith({ seq }))?.seq).toBe(BigInt(seq));
    },
  );

  test('a long wrong schema does not make a long message', () => {
    const schema = 'x'.repeat(1_000_000);
    expect(() => lifecycleEventOf(eventWith({ schema }))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{1,200}$/) }),
    );
  });
});

describe('what is no object is ERR_REVIEWER_INVALID_EVENT', () => {
  test.each([[null], [[]], [[eventWith()]], ['run_start'], [''], [7], [7n], [true]])(
    'such as %s',
    (value) => {
      expect(() => lifecycleEventOf(value)).toThrow(INVALID);
      expect(() => canonicalizeReviewerEventValue(value)).toThrow(INVALID);
      expect(() => lineOfValue(value)).toThrow(INVALID);
    },
  );
});

describe('a typed event', () => {
  const init: ReviewerLifecycleEventInit = {
    ts: '2026-03-01T12:00:00Z',
    event: 'run_crash',
    reviewType: 'security',
    prNumber: 441,
    headSha: '0123abcd',
    seq: 7,
  };

  test('has the line of its value', () => {
    const extra = { b: [1n], '1': { c: null }, a: undefined };
    const typed = { runId: 'i', restartCount: 0, reasonCode: 'r', detail: '' };
    const named = { run_id: 'i', restart_count: 0, reason_code: 'r', detail: '' };
    const value = eventWith({ event: 'run_crash', ...named, ...extra });
    expect(lineOfEvent({ ...init, ...typed, extra })).toBe(lineOfValue(value));
  });

  test('may lack what a line may lack, or have null there', () => {
    const line = lineOfValue(eventWith({ event: 'run_crash' }));
    const none = { runId: null, restartCount: null, reasonCode: null, detail: null };
    expect(lineOfEvent(init)).toBe(line);
    expect(lineOfEvent({ ...init, ...none, extra: undefined })).toBe(line);
  });

  test.each<[why: string, fields: { readonly [key: string]: unknown }]>([
    ['an unknown kind', { event: 'heartbeat' }],
    ['no kind', { event: undefined }],
    ['another schema', { schema: 'other' }],
    ['another version', { schemaVersion: 2 }],
    ['a bad ts', { ts: 'now' }],
    ['a blank reviewType', { reviewType: ' ' }],
    ['a blank headSha', { headSha: ' ' }],
    ['a prNumber of −1', { prNumber: -1 }],
    ['a seq of 0', { seq: 0n }],
  ])('is held to the same: %s', (_why, fields) => {
    expect(() => lineOfEvent({ ...init, ...fields })).toThrow(INVALID);
  });

  test.each([
    'schema',
    'schema_version',
    'ts',
    'event',
    'review_type',
    'pr_number',
    'head_sha',
    'seq',
    'run_id',
    'restart_count',
    'reason_code',
    'reason',
    'signal',
    'detail',
  ])('has no field twice: %s in extra is refused', (key) => {
    expect(() => lineOfEvent({ ...init, extra: { [key]: 'x' } })).toThrow(INVALID);
  });

  test.each(['signal', 'reason', 'run_id', 'exitCode', '__proto__', ''])(
    'loses no key: %s beside its fields is refused, and named',
    (key) => {
      const typed = Object.fromEntries([...Object.entries(init), [key, 'x']]);
      expect(() => lineOfEvent(typed as never)).toThrow(INVALID);
      expect(() => lineOfEvent(typed as never)).toThrow(`: ${key} is no field`);
    },
  );

  test('may have further keys that are undefined', () => {
    expect(lineOfEvent({ ...init, signal: undefined } as never)).toBe(lineOfEvent(init));
  });

  test('that was read may be as deep as a line', () => {
    const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
    const value = { ...eventWith(), x: nested(126) };
    const read = lifecycleEventOf(value);
    expect(lineOfEvent(read!)).toBe(lineOfValue(value));
    const tooDeep = { ...init, extra: { x: nested(127) } };
    expect(() => lineOfEvent(tooDeep)).toThrow(refusal('ERR_REVIEWER_SERIALIZE'));
    expect(() => lineOfValue({ ...eventWith(), x: nested(127) })).toThrow(
      refusal('ERR_REVIEWER_SERIALIZE'),
    );
  });

  test.each([[null], [undefined], ['run_start'], [[init]]])('is an object, not %s', (value) => {
    expect(() => lineOfEvent(value as never)).toThrow(INVALID);
  });

  test('with what JSON cannot say is ERR_REVIEWER_SERIALIZE', () => {
    expect(() => lineOfEvent({ ...init, extra: { x: Number.NaN } })).toThrow(
      refusal('ERR_REVIEWER_SERIALIZE'),
    );
  });
});

test.each([
  ['runId', 5],
  ['detail', {}],
  ['reasonCode', true],
  ['restartCount', -1],
  ['restartCount', 2 ** 32],
  ['restartCount', '1'],
  ['extra', [1]],
  ['extra', new Map([['a', 1]])],
  ['extra', { toJSON: () => 5 }],
  ['extra', { toJSON: () => ({ seq: 99 }) }],
])('a typed event whose %s is %j is refused, and does not lose it', (key, value) => {
  const typed = {
    ts: '2026-03-01T12:00:00Z',
    event: 'run_start',
    reviewType: 'security',
    prNumber: 1,
    headSha: 'a',
    seq: 1,
    [key]: value,
  };
  const code = value instanceof Map ? 'ERR_REVIEWER_SERIALIZE' : 'ERR_REVIEWER_INVALID_EVENT';
  expect(() => lineOfEvent(typed as never)).toThrow(refusal(code));
});

test('half a surrogate pair is refused, escaped in a line too', () => {
  for (const key of ['detail', 'run_id', 'review_type', 'reason']) {
    expect(() => lifecycleEventOf(eventWith({ [key]: '\ud800' }))).toThrow(INVALID);
  }
});
