import { describe, expect, test } from 'vitest';
import { parseExact } from '../../src/ndjson/exact-json.js';
import {
  canonicalizeReviewerEventValue,
  REVIEWER_EVENT_KINDS,
  REVIEWER_TELEMETRY_SCHEMA,
} from '../../src/reviewer/index.js';
import { lifecycleEventOf, lineOfValue } from '../../src/reviewer/lifecycle-event.js';
import { eventWith } from './sample-event.js';

const canonical = (fields?: { readonly [key: string]: unknown }) =>
  canonicalizeReviewerEventValue(eventWith(fields));

describe('the canonical form', () => {
  test('has the schema and its version, first', () => {
    expect(canonical()).toEqual({
      schema: 'apm2.reviewer.lifecycle_event.v1',
      schema_version: 1,
      ...eventWith(),
    });
  });

  test.each([
    { schema: REVIEWER_TELEMETRY_SCHEMA, schema_version: 1 },
    { schema: null, schema_version: null },
    { schema: REVIEWER_TELEMETRY_SCHEMA },
    { schema_version: 1 },
  ])('is the same where it is given as %j', (fields) => {
    expect(canonical(fields)).toEqual(canonical());
  });

  test.each(REVIEWER_EVENT_KINDS)('keeps the kind %s', (event) => {
    expect(canonical({ event })).toMatchObject({ event });
  });

  test('says sha_drift for sha_update', () => {
    expect(canonical({ event: 'sha_update' })).toMatchObject({
      event: 'sha_drift',
      reason_code: 'sha_drift',
    });
  });

  test('has its known keys in schema order and the others by name', () => {
    const given = {
      zeta: 1,
      detail: 'd',
      reason_code: 'r',
      alpha: 2,
      restart_count: 3,
      run_id: 'i',
      ...eventWith(),
    };
    expect(Object.keys(canonicalizeReviewerEventValue(given))).toEqual([
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
      'detail',
      'alpha',
      'zeta',
    ]);
  });

  test('is not the object it was made of, which stays as it was', () => {
    const nested = { list: [1] };
    const given = Object.freeze(eventWith({ event: 'sha_update', nested }));
    const made = canonicalizeReviewerEventValue(given);
    nested.list.push(2);
    expect(made).toMatchObject({ nested: { list: [1] } });
    expect(given.event).toBe('sha_update');
  });

  test('of the canonical form is the canonical form', () => {
    const once = canonical({ event: 'run_crash', signal: 'SIGKILL', review_type: ' q ', x: [1n] });
    expect(canonicalizeReviewerEventValue(once)).toEqual(once);
  });
});

describe('reason_code is the first of reason_code, reason, a crash’s signal and the kind', () => {
  const all = { reason_code: 'code', reason: 'why', signal: 'SIGKILL' };
  test.each([
    ['run_crash', all, 'code'],
    ['run_crash', { ...all, reason_code: undefined }, 'why'],
    ['run_crash', { ...all, reason_code: null, reason: null }, 'SIGKILL'],
    ['run_crash', { ...all, reason_code: 5, reason: ['why'] }, 'SIGKILL'],
    ['run_crash', {}, 'run_crash'],
    ['run_crash', { signal: 9 }, 'run_crash'],
    ['stall_detected', { signal: 'SIGKILL' }, 'stall_detected'],
    ['stall_detected', { reason: 'why' }, 'why'],
    ['model_fallback', {}, 'model_fallback'],
    ['sha_drift', {}, 'sha_drift'],
    ['sha_update', {}, 'sha_drift'],
    ['run_start', { signal: 'SIGKILL' }, null],
    ['run_start', { reason: 'why' }, 'why'],
    ['run_start', { reason_code: 'code' }, 'code'],
    ['run_complete', {}, null],
    ['run_complete', { reason_code: null }, null],
  ])('%s with %j: %s', (event, fields, reason) => {
    const given = eventWith({ event, ...fields });
    expect(lifecycleEventOf(given)?.reasonCode).toBe(reason);
    const made = canonicalizeReviewerEventValue(given);
    if (reason === null) expect(made).not.toHaveProperty('reason_code');
    else expect(made).toHaveProperty('reason_code', reason);
  });

  test.each(REVIEWER_EVENT_KINDS)('%s keeps neither reason nor signal', (event) => {
    const made = canonical({ event, ...all });
    expect(made).not.toHaveProperty('reason');
    expect(made).not.toHaveProperty('signal');
    expect(lifecycleEventOf(eventWith({ event, ...all }))?.extra).toEqual({});
  });
});

describe('what a line may lack', () => {
  test.each([0, 1, 4294967295])('the restart_count %d is kept', (restart_count) => {
    expect(canonical({ restart_count })).toMatchObject({ restart_count });
    expect(lifecycleEventOf(eventWith({ restart_count }))?.restartCount).toBe(restart_count);
  });

  test.each([-1, 4294967296, 1.5, '3', null, true, 2n ** 64n, [3]])(
    'a restart_count that is no u32 is as if absent: %s',
    (restart_count) => {
      expect(canonical({ restart_count })).toEqual(canonical());
      expect(lifecycleEventOf(eventWith({ restart_count }))?.restartCount).toBeNull();
    },
  );

  test.each(['run_id', 'detail'])(
    '%s is kept as it is, and left out where it is no text',
    (key) => {
      expect(canonical({ [key]: ' a\n' })).toHaveProperty(key, ' a\n');
      for (const none of [null, 5, {}, []]) expect(canonical({ [key]: none })).toEqual(canonical());
    },
  );

  test('is null in the typed event', () => {
    expect(lifecycleEventOf(eventWith())).toEqual({
      schema: REVIEWER_TELEMETRY_SCHEMA,
      schemaVersion: 1,
      ts: '2026-03-01T12:00:00Z',
      event: 'run_start',
      reviewType: 'security',
      prNumber: 441,
      headSha: '0123abcd',
      seq: 7n,
      runId: null,
      restartCount: null,
      reasonCode: null,
      detail: null,
      extra: {},
    });
  });
});

test.each(['review_type', 'head_sha'])('the blanks around %s are cut off', (key) => {
  expect(canonical({ [key]: '\t a b \r\n' })).toHaveProperty(key, 'a b');
});

test('ts stays as it was written', () => {
  const ts = '2026-03-01t13:00:00.123456789+01:00';
  expect(canonical({ ts })).toMatchObject({ ts });
});

describe('keys that the schema does not know', () => {
  test('are kept, whatever they hold', () => {
    const extra = { a: null, b: [1, 'x', { c: 1.5 }], d: false, e: '', ts_mono: -1, sequence: 2n };
    expect(canonical(extra)).toMatchObject(extra);
    expect(lifecycleEventOf(eventWith(extra))?.extra).toEqual(extra);
  });

  test('stand in the line in byte order, after the known ones', () => {
    const names = [
      'z',
      '￿',
      '😀',
      'é',
      'a',
      'Z',
      '10',
      '9',
      '1',
      '__proto__',
      '',
      'a b',
      'constructor',
    ];
    const members = names.map((name) => `${JSON.stringify(name)}:0`);
    const line = lineOfValue(
      parseExact(`{${members.join()},${JSON.stringify(eventWith()).slice(1)}`),
    );
    expect(line.slice(line.indexOf('"seq":7,'))).toBe(
      '"seq":7,"":0,"1":0,"10":0,"9":0,"Z":0,"__proto__":0,"a":0,"a b":0,"constructor":0,"z":0,"é":0,"￿":0,"😀":0}',
    );
  });

  test('__proto__ is one of them, and no prototype', () => {
    const given = parseExact(
      `{"__proto__":{"event":"run_crash","run_id":"x"},${JSON.stringify(eventWith()).slice(1)}`,
    );
    const made = canonicalizeReviewerEventValue(given);
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
    expect(Object.entries(made).at(-1)).toEqual(['__proto__', { event: 'run_crash', run_id: 'x' }]);
    expect(made).not.toHaveProperty('run_id');
    const event = lifecycleEventOf(given);
    expect(event).toMatchObject({ event: 'run_start', runId: null });
    expect(Object.keys(event?.extra ?? {})).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(event?.extra)).toBe(Object.prototype);
  });
});

describe('an object that is no lifecycle event is kept as it is', () => {
  test.each([
    ['{}', {}],
    ['without an event', { ts: 'never', seq: -1 }],
    ['of an unknown kind', { event: 'heartbeat', reason: ' r ', signal: 1, schema: 'other' }],
    ['of a kind in capitals', { event: 'RUN_START' }],
    ['of a kind with blanks', { event: ' run_start ' }],
    ['whose event is no text', { event: ['run_start'] }],
    ['whose event is the name of a method', { event: 'constructor' }],
  ])('%s', (_what, value) => {
    expect(canonicalizeReviewerEventValue(value)).toEqual(value);
    expect(canonicalizeReviewerEventValue(value)).not.toBe(value);
    expect(lifecycleEventOf(value)).toBeNull();
    expect(lineOfValue(value)).toBe(JSON.stringify(value));
  });
});
