import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { expect, test } from 'vitest';
import { errnoName } from '../../src/error/errno-name.js';
import { errnoOf } from '../../src/kernel/errno.js';

/** The numbers of Linux; 41 and 58 are second names of others and have no number of their own. */
const ALL = Array.from({ length: 133 }, (_, index) => index + 1).filter(
  (n) => ![41, 58].includes(n),
);

/** As an error of Node has it. */
function nodeErrorOf(errno: number): Error {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error('x'), { code, errno: -errno });
}

test('every errno of Linux has one name, from the addon and from Node', () => {
  for (const errno of [...ALL, 524]) {
    const name = errnoName(errno);
    expect(name).toMatch(/^E[A-Z0-9]+$/);
    expect(errnoOf(nodeErrorOf(errno))).toBe(name);
    expect(errnoName(-errno)).toBe(name);
  }
  expect(new Set(ALL.map(errnoName)).size).toBe(ALL.length);
});

test('it is the name of error.code where Node has one, else that of os.constants.errno', () => {
  for (const errno of ALL) {
    const code = getSystemErrorName(-errno);
    if (!code.startsWith('Unknown')) expect(errnoName(errno)).toBe(code);
  }
  for (const [name, errno] of Object.entries(constants.errno)) {
    // Of two names for one number it is the one of error.code.
    const twins = { EWOULDBLOCK: 'EAGAIN', EOPNOTSUPP: 'ENOTSUP' };
    expect(errnoName(errno)).toBe(twins[name as keyof typeof twins] ?? name);
  }
});

const HEADERS = ['/usr/include/asm-generic/errno-base.h', '/usr/include/asm-generic/errno.h'];

test.skipIf(!HEADERS.every((header) => existsSync(header)))(
  'it is the name that the kernel’s headers have',
  () => {
    const named = HEADERS.flatMap((header) => [
      ...readFileSync(header, 'utf8').matchAll(/^#define\s+(E\w+)\s+(\d+)/gm),
    ]);
    expect(named.length).toBeGreaterThan(120);
    for (const [, name, errno] of named) {
      const isTwin = name === 'EOPNOTSUPP';
      expect(errnoName(Number(errno))).toBe(isTwin ? 'ENOTSUP' : name);
    }
  },
);

test('a number that nobody knows is told as such', () => {
  expect(errnoName(4_000)).toBe('Unknown system error -4000');
});

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
