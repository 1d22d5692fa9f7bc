import { describe, expect, test } from 'vitest';
import { assertEpisodeId, assertPid } from '../../src/episode/index.js';

const code = (value: string) => expect.objectContaining({ code: value });

describe('episode ids', () => {
  test.each(['a', 'A-z_09', '-', '_', 'x'.repeat(128)])('%j is one', (id) => {
    expect(() => assertEpisodeId(id)).not.toThrow();
  });

  test.each([
    '',
    'x'.repeat(129),
    'a b',
    'a/b',
    '..',
    'a.b',
    'ä',
    'a\n',
    'a\0',
    ' a',
    'a:b',
    '\u{1F600}',
    5,
    null,
    undefined,
    ['a'],
    { toString: () => 'a' },
  ])('%j is none', (id) => {
    expect(() => assertEpisodeId(id)).toThrow(code('ERR_INVALID_EPISODE_ID'));
  });
});

describe('pids', () => {
  test.each([1, 1234, 2 ** 31 - 1])('%s is one', (pid) => {
    expect(() => assertPid(pid)).not.toThrow();
  });

  test.each([0, -1, 2 ** 31, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined, 1n])(
    '%s is none',
    (pid) => {
      expect(() => assertPid(pid)).toThrow(code('ERR_INVALID_PID'));
    },
  );
});
