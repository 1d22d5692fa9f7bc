/** A start that stalls ends at its deadline, or when it is aborted, and leaves nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TelemetryError } from '../../src/error/index.js';
import { findCgroup2Mount } from '../../src/host/index.js';
import { createScope } from '../../src/scope/create.js';
import { type ScopeOptions, type SpawnInScopeOptions, spawnScoped } from '../../src/scope/index.js';
import { alive, until } from '../support/cli.js';
import { LAUNCHERS } from '../support/launchers.js';
import { Leaf } from '../support/leaf.js';

/** The kernel does not finish a write of cgroup.procs before that. */
const stalled = vi.hoisted(() => ({ before: null as Promise<void> | null }));
vi.mock('../../src/kernel/cgroup-actions.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/kernel/cgroup-actions.js')>();
  return {
    ...original,
    cgroupActions: () => ({
      ...original.cgroupActions(),
      write: async (directory: string, file: string, text: string) => {
        if (file === 'cgroup.procs') await stalled.before;
        return original.cgroupActions().write(directory, file, text);
      },
    }),
  };
});

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`stalled starts are not tested here: ${noLeaf}`);

const root = `${findCgroup2Mount() ?? ''}/episcope-test-${process.pid}-stall`;
const slice = 'stalled.slice';
const slicePath = `${root}/${slice}`;
const where: ScopeOptions = { root, slice, strategy: 'direct' };
const never = () => new Promise<never>(() => {});

const freeze = (text: '0' | '1') => writeFileSync(`${slicePath}/cgroup.freeze`, text);
const scopesIn = () => readdirSync(slicePath).filter((name) => name.endsWith('.scope'));

beforeEach(() => {
  if (noLeaf === null) mkdirSync(slicePath, { recursive: true });
});
afterEach(() => {
  if (noLeaf !== null) return;
  freeze('0');
  rmdirSync(slicePath);
  rmdirSync(root);
});

async function refusal(act: Promise<unknown>): Promise<TelemetryError> {
  try {
    await act;
  } catch (cause) {
    return cause as TelemetryError;
  }
  throw new Error('it was not refused');
}

/** Aborts as soon as the scope holds what is to become the command. */
function abortedOnceInside(reason: Error): AbortSignal {
  const abort = new AbortController();
  const inside = () => {
    const [scope] = scopesIn();
    if (scope === undefined) return false;
    return readFileSync(`${slicePath}/${scope}/cgroup.procs`, 'utf8') !== '';
  };
  until('the launcher inside', inside).then(
    () => abort.abort(reason),
    () => {},
  );
  return abort.signal;
}

describe.skipIf(noLeaf !== null).each(LAUNCHERS)('a start by %s', (_, launcher) => {
  const start = (more: Partial<SpawnInScopeOptions>) =>
    spawnScoped('true', [], { id: 'stall', ...where, stdio: 'ignore', ...more }, { launcher });
  const HELD: [string, Partial<SpawnInScopeOptions>][] = [
    ['at once', {}],
    ['after beforeExec', { beforeExec: () => {} }],
  ];

  test.each(HELD)(
    'in a slice that is frozen, to run %s, ends at its deadline',
    async (_how, how) => {
      freeze('1');
      expect(await refusal(start({ ...how, timeoutMs: 200 }))).toMatchObject({
        code: 'ERR_SPAWN_FAILED',
        errno: 'ETIMEDOUT',
        file: 'true',
        message: expect.stringContaining(`${slicePath}/episode-stall.scope is frozen`),
      });
      expect(scopesIn()).toEqual([]);
    },
  );

  test.each(HELD)('in a slice that is frozen, to run %s, can be aborted', async (_how, how) => {
    freeze('1');
    const reason = new Error('enough');
    const signal = abortedOnceInside(reason);
    expect(await refusal(start({ ...how, signal }))).toBe(reason);
    expect(scopesIn()).toEqual([]);
  });

  test('whose beforeExec does not end, ends at its deadline', async () => {
    let held: ChildProcess | null = null;
    const beforeExec = (_scope: unknown, child: ChildProcess) => {
      held = child;
      return never();
    };
    expect(await refusal(start({ beforeExec, timeoutMs: 200 }))).toMatchObject({
      code: 'ERR_SPAWN_FAILED',
      errno: 'ETIMEDOUT',
      message: expect.stringContaining('beforeExec did not end within 200 ms'),
    });
    expect(alive(held!.pid!)).toBe(false);
    expect(scopesIn()).toEqual([]);
  });

  test('whose beforeExec does not end can be aborted', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const beforeExec = () => {
      setImmediate(() => abort.abort(reason));
      return never();
    };
    expect(await refusal(start({ beforeExec, signal: abort.signal }))).toBe(reason);
    expect(scopesIn()).toEqual([]);
  });
});

test.skipIf(noLeaf !== null)(
  'a scope whose making stalls in the kernel is not waited for, and is undone when that comes back',
  { timeout: 30_000 },
  async () => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    const cgroup = () => readFileSync(`/proc/${child.pid}/cgroup`, 'utf8');
    const before = cgroup();
    let go = (): void => {};
    stalled.before = new Promise((resolve) => {
      go = resolve;
    });
    try {
      const making = createScope('stall', root, {
        slice,
        pid: child.pid!,
        deadline: performance.now() + 200,
      });
      expect(await refusal(making)).toMatchObject({ code: 'ERR_SCOPE_CREATE', errno: 'ETIMEDOUT' });
      expect(scopesIn()).toEqual(['episode-stall.scope']);
      go();
      await until('the scope undone', () => scopesIn().length === 0);
      expect(cgroup()).toBe(before);
    } finally {
      stalled.before = null;
      go();
      child.kill('SIGKILL');
    }
  },
);
