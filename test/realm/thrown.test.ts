import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { errnoOf } from '../../src/kernel/errno.js';
import { codeOf, errnoNumberOf, messageOf, pathOf } from '../../src/realm/index.js';

const foreign = (expression: string): unknown => runInNewContext(`(${expression})`);

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (thrown) {
    return thrown;
  }
  throw new Error('nothing was thrown');
}

test('an error of another realm says what one of ours says', () => {
  const own = thrownBy(() => readFileSync('/no/such/file'));
  const text = JSON.stringify({ ...(own as object), message: (own as Error).message });
  const other = foreign(`Object.assign(new Error(), ${text})`);
  expect(other).not.toBeInstanceOf(Error);
  for (const thrown of [own, other]) {
    expect(codeOf(thrown)).toBe('ENOENT');
    expect(errnoNumberOf(thrown)).toBe(-2);
    expect(pathOf(thrown)).toBe('/no/such/file');
    expect(errnoOf(thrown)).toBe('ENOENT');
    expect(messageOf(thrown)).toMatch(/^ENOENT: no such file/);
  }
});

test.each([
  ['a text', 'why'],
  ['null', null],
  ['undefined', undefined],
  ['a number', 7],
  ['an object of other fields', { code: 7, errno: 'x', message: 1 }],
])('%s has no code, no errno and no path', (_, thrown) => {
  expect(codeOf(thrown)).toBeNull();
  expect(errnoNumberOf(thrown)).toBeNull();
  expect(pathOf(thrown)).toBeNull();
  expect(messageOf(thrown)).toBe(String(thrown));
});
