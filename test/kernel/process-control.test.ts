import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { decodeSignals } from '../../src/kernel/process-control.js';
import { runScript } from '../support/run-script.js';

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

test.each(['SIGABRT', 'SIGSEGV', 'SIGTRAP', 'SIGSYS'])(
  'a fault of the process itself ends it by %s, watched or not',
  async (name) => {
    const script = fileURLToPath(new URL('./faulty.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, name], { stdio: 'ignore' });
    const [, signal] = await once(child, 'exit');
    expect(signal).toBe(name);
  },
);

test('records are decoded whole', () => {
  const bytes = Buffer.alloc(12);
  bytes.writeInt32LE(2, 0);
  bytes.writeInt32LE(0x80, 4);
  expect(decodeSignals(bytes)).toEqual([{ signo: 2, code: 0x80, senderPid: 0 }]);
  expect(decodeSignals(bytes.subarray(0, 11))).toEqual([]);
});
