import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  ProjectionSummary,
  ProjectionSummaryEmitter,
  type ProjectionSummaryInit,
} from '../../src/reviewer/index.js';

const code = (value: string) => expect.objectContaining({ code: value });

const init: ProjectionSummaryInit = {
  ts: '2026-03-01T12:00:00Z',
  sha: '0123abcd',
  currentHeadSha: '4567ef',
  security: 'running',
  quality: 'done',
  recentEvents: 'run_start,run_complete',
};

const LINE =
  'ts=2026-03-01T12:00:00Z sha=0123abcd current_head_sha=4567ef security=running quality=done events=run_start,run_complete';

describe('a summary', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is one line', () => {
    const summary = new ProjectionSummary(init);
    expect(summary.renderLine()).toBe(LINE);
    expect({ ...summary }).toEqual(init);
  });

  test('is of now where it is not told, in UTC, to the second', () => {
    vi.useFakeTimers({ now: new Date('2026-03-01T12:00:00.987Z'), toFake: ['Date'] });
    const { ts: _, ...rest } = init;
    expect(new ProjectionSummary(rest).ts).toBe('2026-03-01T12:00:00Z');
    expect(new ProjectionSummary({ ...rest, ts: undefined }).renderLine()).toBe(LINE);
  });

  test.each(['ts', 'sha', 'currentHeadSha', 'security', 'quality', 'recentEvents'])(
    'stays one line whatever %s holds',
    (key) => {
      const hostile = 'a\nb\r\n\0\t\u001b[31m\u007f\u0085\u009f\u2028\u2029 é😀\\';
      const line = new ProjectionSummary({ ...init, [key]: hostile }).renderLine();
      expect(line).toContain(
        '=a\\u000ab\\u000d\\u000a\\u0000\\u0009\\u001b[31m\\u007f\\u0085\\u009f\\u2028\\u2029 é😀\\',
      );
      expect(line).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      expect(line.match(/ (?:sha|current_head_sha|security|quality|events)=/g)).toHaveLength(5);
    },
  );

  test.each(['sha', 'currentHeadSha', 'security', 'quality', 'recentEvents'])(
    'without %s, or with what is no text there, is ERR_INVALID_CONFIG',
    (key) => {
      for (const wrong of [undefined, null, 5, ['x']]) {
        const make = () => new ProjectionSummary({ ...init, [key]: wrong });
        expect(make).toThrow(code('ERR_INVALID_CONFIG'));
      }
    },
  );

  test.each([[5], [new Date(0)], [false]])('the ts %s is ERR_INVALID_CONFIG', (ts) => {
    const make = () => new ProjectionSummary({ ...init, ts: ts as never });
    expect(make).toThrow(code('ERR_INVALID_CONFIG'));
  });

  test.each([[undefined], [null], ['ts']])('%j is no summary: ERR_INVALID_CONFIG', (wrong) => {
    expect(() => new ProjectionSummary(wrong as never)).toThrow(code('ERR_INVALID_CONFIG'));
  });
});

describe('one summary per interval', () => {
  const summary = new ProjectionSummary(init);

  test.each([
    [undefined, 1000],
    [1000, 1000],
    [250.5, 250.5],
  ])('of %s ms', (minIntervalMs, interval) => {
    let nowMs = 5000;
    const emitter = new ProjectionSummaryEmitter({ minIntervalMs, now: () => nowMs });
    const emittedAfter = (ms: number) => {
      nowMs += ms;
      return emitter.emitIfDue(summary);
    };
    expect(emittedAfter(0)).toBe(LINE);
    expect(emittedAfter(0)).toBeNull();
    expect(emittedAfter(interval - 0.25)).toBeNull();
    expect(emittedAfter(0.25)).toBe(LINE);
    // From the last that was let through, not from the last that was asked for.
    expect(emittedAfter(interval / 2)).toBeNull();
    expect(emittedAfter(interval / 2)).toBe(LINE);
    expect(emittedAfter(100 * interval)).toBe(LINE);
    expect(emittedAfter(interval - 0.25)).toBeNull();
  });

  test('the first is let through also by a clock that begins at 0', () => {
    const emitter = new ProjectionSummaryEmitter({ now: () => 0 });
    expect(emitter.emitIfDue(summary)).toBe(LINE);
    expect(emitter.emitIfDue(summary)).toBeNull();
  });

  test('an interval of 0 lets every one through', () => {
    const emitter = new ProjectionSummaryEmitter({ minIntervalMs: 0, now: () => 7 });
    expect(emitter.emitIfDue(summary)).toBe(LINE);
    expect(emitter.emitIfDue(summary)).toBe(LINE);
  });

  test('the line is that of the summary that is due', () => {
    let nowMs = 0;
    const emitter = new ProjectionSummaryEmitter({ now: () => nowMs });
    emitter.emitIfDue(summary);
    nowMs = 1000;
    const next = new ProjectionSummary({ ...init, quality: 'crashed' });
    expect(emitter.emitIfDue(next)).toContain(' quality=crashed ');
  });

  test('by default by the clock of this process', () => {
    const emitter = new ProjectionSummaryEmitter({ minIntervalMs: 3_600_000 });
    expect(emitter.emitIfDue(summary)).toBe(LINE);
    expect(emitter.emitIfDue(summary)).toBeNull();
  });

  test.each([
    [{ now: 5 }, 'ERR_INVALID_CONFIG'],
    [{ now: null }, 'ERR_INVALID_CONFIG'],
    [{ minIntervalMs: '1000' }, 'ERR_INVALID_CONFIG'],
    [{ minIntervalMs: null }, 'ERR_INVALID_CONFIG'],
    [{ minIntervalMs: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ minIntervalMs: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ minIntervalMs: Number.POSITIVE_INFINITY }, 'ERR_OUT_OF_RANGE'],
    [null, 'ERR_INVALID_CONFIG'],
    ['options', 'ERR_INVALID_CONFIG'],
  ])('the options %s are %s', (options, expected) => {
    expect(() => new ProjectionSummaryEmitter(options as never)).toThrow(code(expected));
  });
});
