import { describe, expect, test } from 'vitest';
import {
  BudgetExhaustedError,
  CgroupError,
  finiteNumber,
  outOfRange,
  ProcError,
  RecordingError,
  ReviewerTelemetryError,
  TelemetryError,
  wholeNumber,
} from '../../src/error/index.js';

describe('every error is a TelemetryError with a code', () => {
  const cause = new Error('below');
  const errors = [
    new TelemetryError('ERR_STOPPED', 'stopped'),
    new CgroupError('ERR_CGROUP_READ', 'no', { errno: 'EACCES', file: 'cpu.stat', cause }),
    new ProcError('ERR_PROC_GONE', 'gone'),
    new BudgetExhaustedError('ERR_BUDGET_EXHAUSTED', {
      resource: 'cpuMs',
      requested: 2,
      remaining: 1,
    }),
    new ReviewerTelemetryError('ERR_REVIEWER_MALFORMED', 'bad', { path: '/x', line: 3 }),
    new RecordingError('ERR_RECORDING_MALFORMED', 'bad', { file: '/x.1', line: 3 }),
    outOfRange('period', -1, 'must not be negative'),
  ];

  test.each(errors)('%s', (error) => {
    expect(error).toBeInstanceOf(TelemetryError);
    expect(error).toBeInstanceOf(Error);
    expect(error.code).toMatch(/^ERR_[A-Z0-9_]+$/);
    expect(error.stack).toContain(error.message);
  });

  test('each class recognizes its own errors only', () => {
    const classes = [
      CgroupError,
      ProcError,
      BudgetExhaustedError,
      ReviewerTelemetryError,
      RecordingError,
    ];
    for (const each of classes) {
      expect(errors.filter((error) => (error as Error) instanceof each)).toHaveLength(1);
    }
    expect(new Error('other') instanceof TelemetryError).toBe(false);
    expect((null as unknown) instanceof TelemetryError).toBe(false);
  });

  test('a range error is a RangeError and a TelemetryError, but no CgroupError', () => {
    const error: unknown = outOfRange('period', Number.NaN, 'must be finite');
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toBeInstanceOf(TelemetryError);
    expect(error).not.toBeInstanceOf(CgroupError);
    expect(error).toMatchObject({
      code: 'ERR_OUT_OF_RANGE',
      message: 'period must be finite, got NaN',
    });
  });

  test('errno, file and cause are fields, and not there where there is none', () => {
    const error = new CgroupError('ERR_CGROUP_READ', 'no', {
      errno: 'EACCES',
      file: 'cpu.stat',
      cause,
    });
    expect(error).toMatchObject({ errno: 'EACCES', file: 'cpu.stat', cause, name: 'CgroupError' });
    const bare = new CgroupError('ERR_CGROUP_READ', 'no', { errno: null, file: null });
    expect(Object.keys(bare)).toEqual(['code']);
    expect('cause' in bare).toBe(false);
  });

  test('budget, reviewer and recording errors carry their fields', () => {
    expect(errors[3]).toMatchObject({ resource: 'cpuMs', requested: 2, remaining: 1 });
    expect(
      new BudgetExhaustedError('ERR_BUDGET_ESTIMATE', {
        resource: 'tokens',
        estimate: 1,
        actual: 2,
      }),
    ).toMatchObject({ code: 'ERR_BUDGET_ESTIMATE', resource: 'tokens', estimate: 1, actual: 2 });
    expect(errors[4]).toMatchObject({ path: '/x', line: 3 });
    expect(errors[5]).toMatchObject({ file: '/x.1', line: 3, name: 'RecordingError' });
  });
});

describe('numbers', () => {
  test.each([-1, -0.5, 0.5, Number.NaN, Number.POSITIVE_INFINITY, -1n])(
    '%s is no whole number from 0 on',
    (value) => {
      expect(() => wholeNumber('n', value)).toThrow(RangeError);
      expect(() => wholeNumber('n', value)).toThrow(
        expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }),
      );
    },
  );

  test('a number of another type is ERR_INVALID_CONFIG', () => {
    for (const value of ['5', null, undefined, {}, true]) {
      expect(() => wholeNumber('n', value as never)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }),
      );
    }
    expect(() => finiteNumber('n', 5n as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_CONFIG' }),
    );
  });

  test('whole numbers come back exactly', () => {
    expect(wholeNumber('n', 2 ** 53)).toBe(2n ** 53n);
    expect(wholeNumber('n', -0)).toBe(0n);
    expect(wholeNumber('n', 2n ** 70n)).toBe(2n ** 70n);
    expect(finiteNumber('n', 0.5)).toBe(0.5);
  });
});
