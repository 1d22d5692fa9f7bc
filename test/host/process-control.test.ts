import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeSignals, processControl } from '../../src/host/process-control.js';
import { Leaf } from '../support/leaf.js';
import { runScript } from '../support/run-script.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`ownership marks are not tested here: ${noLeaf}`);

test('a subreaper reaps the orphans it adopts, and never the child that Node waits for', async () => {
  const result = await runScript<{ code: number; reaped: number; left: boolean }>(
    new URL('./reaper.mjs', import.meta.url),
    [],
  );
  expect(result).toEqual({ code: 7, reaped: 2, left: false });
});

test('a signal arrives as a record that names its sender, and ends nobody', async () => {
  const result = await runScript<{ signals: number[][]; again: string; self: number }>(
    new URL('./watcher.mjs', import.meta.url),
    [],
  );
  expect(result.signals).toEqual([
    [15, 0, result.self],
    [10, 0, result.self],
  ]);
  expect(result.again).toBe('EBUSY');
});

test('records are decoded whole', () => {
  const bytes = Buffer.alloc(12);
  bytes.writeInt32LE(2, 0);
  bytes.writeInt32LE(0x80, 4);
  expect(decodeSignals(bytes)).toEqual([{ signo: 2, code: 0x80, senderPid: 0 }]);
  expect(decodeSignals(bytes.subarray(0, 11))).toEqual([]);
});

test.skipIf(noLeaf !== null)('an ownership mark is an xattr of the cgroup', async () => {
  const { control } = processControl();
  const leaf = Leaf.make('mark');
  try {
    expect(control?.getOwnerMark(leaf.path)).toBeNull();
    expect(control?.setOwnerMark(leaf.path, 'pid=1')).toBeNull();
    expect(control?.getOwnerMark(leaf.path)).toBe('pid=1');
  } finally {
    await leaf.remove();
  }
});

test('a mark is not set through a symlink, nor on what is not there', () => {
  const { control } = processControl();
  const directory = mkdtempSync(join(tmpdir(), 'episcope-mark-'));
  try {
    symlinkSync(directory, join(directory, 'link'));
    expect(control?.setOwnerMark(join(directory, 'link'), 'x')).toMatch(/^(ELOOP|ENOTDIR)$/);
    expect(control?.setOwnerMark(join(directory, 'none'), 'x')).toBe('ENOENT');
    expect(control?.getOwnerMark(join(directory, 'none'))).toBeNull();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
