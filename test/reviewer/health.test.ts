import { describe, expect, test } from 'vitest';
import { ReviewerTelemetryError } from '../../src/error/index.js';
import { ReviewerTelemetryHealth } from '../../src/reviewer/index.js';

const { present, missing, malformed } = ReviewerTelemetryHealth;
const code = (value: string) => expect.objectContaining({ code: value });

describe('a progression that takes the log for its authority', () => {
  test.each([
    ['present with events', present(1), false],
    ['present with many events', present(400), false],
    ['present without events', present(0), true],
    ['missing', missing(), true],
    ['malformed', malformed(), true],
  ])('%s: blocked if it is attempted: %s', (_what, health, isBlocked) => {
    expect(health.blocksAuthoritativeProgression(true)).toBe(isBlocked);
    expect(health.blocksAuthoritativeProgression(false)).toBe(false);
    // Who does not say whether it is attempted is not let through.
    expect(health.blocksAuthoritativeProgression(undefined as never)).toBe(isBlocked);
  });

  test.each([['no'], [0], [null], [{}]])('attempting %j is ERR_INVALID_CONFIG', (attempting) => {
    const ask = () => present(1).blocksAuthoritativeProgression(attempting as never);
    expect(ask).toThrow(code('ERR_INVALID_CONFIG'));
  });
});

test('the states', () => {
  expect({ ...present(3) }).toEqual({ state: 'present', lifecycleEvents: 3 });
  expect({ ...missing() }).toEqual({ state: 'missing', lifecycleEvents: null });
  expect({ ...malformed() }).toEqual({ state: 'malformed', lifecycleEvents: null });
});

test.each([
  [-1, 'ERR_OUT_OF_RANGE'],
  [1.5, 'ERR_OUT_OF_RANGE'],
  [Number.NaN, 'ERR_OUT_OF_RANGE'],
  [Number.POSITIVE_INFINITY, 'ERR_OUT_OF_RANGE'],
  ['3', 'ERR_INVALID_CONFIG'],
  [null, 'ERR_INVALID_CONFIG'],
  [undefined, 'ERR_INVALID_CONFIG'],
])('%s events is %s', (events, expected) => {
  expect(() => present(events as never)).toThrow(code(expected));
});

describe('of what the reading rejected with', () => {
  const error = (which: ConstructorParameters<typeof ReviewerTelemetryError>[0]) =>
    new ReviewerTelemetryError(which, 'x');
  test.each([
    ['ERR_REVIEWER_MISSING', error('ERR_REVIEWER_MISSING'), 'missing'],
    ['ERR_REVIEWER_MALFORMED', error('ERR_REVIEWER_MALFORMED'), 'malformed'],
    ['ERR_REVIEWER_IO', error('ERR_REVIEWER_IO'), 'malformed'],
    ['a TypeError', new TypeError('x'), 'malformed'],
    ['ENOENT', Object.assign(new Error('x'), { code: 'ENOENT' }), 'malformed'],
    ['what only looks like it', { code: 'ERR_REVIEWER_MISSING' }, 'malformed'],
    ['undefined', undefined, 'malformed'],
    ['null', null, 'malformed'],
  ])('%s: and it blocks', (_what, cause, state) => {
    const health = ReviewerTelemetryHealth.ofError(cause);
    expect(health).toMatchObject({ state, lifecycleEvents: null });
    expect(health.blocksAuthoritativeProgression(true)).toBe(true);
  });
});
