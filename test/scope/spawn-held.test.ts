/** A command that is held where we are, until somebody is ready for it. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TelemetryCollector } from '../../src/collector/index.js';
import type { TelemetryError } from '../../src/error/index.js';
import { type SpawnHeldOptions, spawnHeld } from '../../src/scope/index.js';
import { alive } from '../support/cli.js';
import { ENGINES } from '../support/engines.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'episcope-held-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function refusal(act: Promise<unknown>): Promise<TelemetryError> {
  try {
    await act;
  } catch (cause) {
    return cause as TelemetryError;
  }
  throw new Error('it was not refused');
}

test('a held command begins when beforeExec has ended, with the pid that it was told', async () => {
  const file = join(folder, 'begun');
  let pid = 0;
  const child = await spawnHeld('sh', ['-c', `echo $$ >${file}; exit 3`], {
    stdio: 'ignore',
    beforeExec: async (held) => {
      pid = held.pid!;
      await new Promise(setImmediate);
      expect(existsSync(file)).toBe(false);
    },
  });
  const [code] = await new Promise<unknown[]>((resolve) =>
    child.once('exit', (...end) => resolve(end)),
  );
  expect(code).toBe(3);
  expect(readFileSync(file, 'utf8')).toBe(`${pid}\n`);
  expect(child.pid).toBe(pid);
});

test('a held command whose beforeExec fails never began, and is gone', async () => {
  const file = join(folder, 'never');
  let pid = 0;
  const start = spawnHeld('touch', [file], {
    beforeExec: (child) => {
      pid = child.pid!;
      throw new Error('it cannot be measured');
    },
  });
  expect((await refusal(start)).message).toBe('it cannot be measured');
  expect(alive(pid)).toBe(false);
  expect(existsSync(file)).toBe(false);
});

test('a held command that is not there, or not waited for, is told as such', async () => {
  const beforeExec = () => {};
  expect(await refusal(spawnHeld('episcope-no-such', [], { beforeExec }))).toMatchObject({
    code: 'ERR_SPAWN_FAILED',
    errno: 'ENOENT',
    file: 'episcope-no-such',
  });
  const late = spawnHeld('true', [], { timeoutMs: 100, beforeExec: () => new Promise(() => {}) });
  expect(await refusal(late)).toMatchObject({ code: 'ERR_SPAWN_FAILED', errno: 'ETIMEDOUT' });
  const reason = new Error('enough');
  const abort = new AbortController();
  const aborted = spawnHeld('true', [], {
    signal: abort.signal,
    beforeExec: () => {
      abort.abort(reason);
      return new Promise(() => {});
    },
  });
  expect(await refusal(aborted)).toBe(reason);
});

test.each([
  [{}],
  [{ beforeExec: 5 }],
  [{ beforeExec: () => {}, id: 'x' }],
  [{ beforeExec: () => {}, shell: true }],
  [{ beforeExec: () => {}, signal: 5 }],
  [{ beforeExec: () => {}, timeoutMs: 'soon' }],
])('the options %o are refused', async (options) => {
  const start = spawnHeld('true', [], options as unknown as SpawnHeldOptions);
  expect(await refusal(start)).toMatchObject({ code: 'ERR_INVALID_CONFIG' });
});

describe.each(ENGINES)('engine %s', (engine) => {
  test('measures a held command from its first instruction on', async () => {
    const collector = new TelemetryCollector(undefined, { engine });
    let handle: ReturnType<TelemetryCollector['start']> | null = null;
    const child = await spawnHeld('true', [], {
      stdio: 'ignore',
      beforeExec: ({ pid }) => {
        handle = collector.start('held', pid!, { tier: 'proc' });
      },
    });
    await new Promise((resolve) => child.once('exit', resolve));
    const frames = await handle!.stop();
    expect(frames[0]).toMatchObject({ o11yFlags: { initial: true }, source: 'proc' });
  });
});
