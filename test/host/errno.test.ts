import { expect, test } from 'vitest';
import { errnoName, errnoOf } from '../../src/host/index.js';

test.each([
  [2, 'ENOENT'],
  [28, 'ENOSPC'],
  [122, 'EDQUOT'],
  [116, 'ESTALE'],
])('errno %i is %s, from the addon and from Node', (errno, name) => {
  expect(errnoName(errno)).toBe(name);
  const code = errno > 100 ? `Unknown system error -${errno}` : name;
  expect(errnoOf(Object.assign(new Error('x'), { code, errno: -errno }))).toBe(name);
});

test('what is no error of the system is its text', () => {
  expect(errnoOf('broken')).toBe('broken');
  expect(errnoOf(new Error('broken'))).toBe('Error: broken');
});
