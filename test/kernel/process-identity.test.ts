import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  catchesSignal,
  hasExited,
  parseProcessStat,
  pidNamespace,
  readProcessStat,
  timeNamespace,
} from '../../src/kernel/process-identity.js';

test('fields are counted after the last parenthesis: a name may hold spaces, newlines and )', () => {
  const rest = 'S 7 8 9 34816 10 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4242 1000 5';
  for (const name of ['sh', 'a b', ') S 1 (', 'x\n) Z 9']) {
    expect(parseProcessStat(Buffer.from(`123 (${name}) ${rest}\n`))).toEqual({
      state: 'S',
      ppid: 7,
      processGroup: 8,
      session: 9,
      terminalGroup: 10,
      numThreads: 1,
      startTicks: '4242',
    });
  }
});

test.each([
  ['S', 1, false],
  ['T', 4, false],
  ['Z', 1, true],
  ['Z', 0, true],
  // The first thread has ended, and others go on.
  ['Z', 2, false],
  ['X', 1, true],
  ['X', 2, true],
])('in state %s with %i threads: exited %s', (state, threads, exited) => {
  const text = `1 (sh) ${state} 7 8 9 34816 10 4194304 1 2 3 4 5 6 7 8 20 0 ${threads} 0 4242 1000 5\n`;
  expect(hasExited(parseProcessStat(Buffer.from(text))!)).toBe(exited);
});

test('text that is cut short is no process', () => {
  expect(parseProcessStat(Buffer.from(''))).toBeNull();
  expect(parseProcessStat(Buffer.from('123 (sh) S 7 8'))).toBeNull();
});

test('this process has a parent and a starttime; one that does not exist is null', () => {
  expect(readProcessStat('self')?.ppid).toBe(process.ppid);
  expect(readProcessStat('self')?.startTicks).toMatch(/^\d+$/);
  expect(readProcessStat(2 ** 31 - 1)).toBeNull();
});

test('a signal that has a listener is caught, one that has none is not', () => {
  const listener = () => {};
  process.on('SIGVTALRM', listener);
  try {
    expect(catchesSignal(26)).toBe(true);
    expect(catchesSignal(30)).toBe(false);
  } finally {
    process.off('SIGVTALRM', listener);
  }
});

test('the namespaces are told by their inodes; a kernel without time namespaces is no unreadable one', () => {
  const procRoot = mkdtempSync(join(tmpdir(), 'episcope-ns-'));
  try {
    expect([pidNamespace(procRoot), timeNamespace(procRoot)]).toEqual([null, null]);
    mkdirSync(join(procRoot, 'self/ns'), { recursive: true });
    symlinkSync('pid:[4026531836]', join(procRoot, 'self/ns/pid'));
    expect([pidNamespace(procRoot), timeNamespace(procRoot)]).toEqual(['4026531836', '0']);
    symlinkSync('time:[4026531834]', join(procRoot, 'self/ns/time'));
    expect(timeNamespace(procRoot)).toBe('4026531834');
  } finally {
    rmSync(procRoot, { recursive: true });
  }
  expect(timeNamespace()).toMatch(/^\d+$/);
});
