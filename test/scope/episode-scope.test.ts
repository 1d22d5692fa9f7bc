import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { TelemetryError } from '../../src/error/index.js';
import { findCgroup2Mount } from '../../src/host/index.js';
import {
  cleanStaleScopes,
  createEpisodeScope,
  removeEpisodeScope,
  type ScopeOptions,
  type SpawnInScopeOptions,
  spawnScoped,
} from '../../src/scope/index.js';
import { alive, until } from '../support/cli.js';
import { LAUNCHERS } from '../support/launchers.js';
import { Leaf } from '../support/leaf.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`episode scopes are not tested on this host: ${noLeaf}`);

const mount = findCgroup2Mount() ?? '';
// A slice of our own: other tests clean in the usual one.
const slice = `episcope_test_${process.pid}_api.slice`;
const slicePath = `${mount}/${slice}`;
const where: ScopeOptions = { slice, strategy: 'direct' };

const children: number[] = [];

function sleeper(): number {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  children.push(child.pid!);
  return child.pid!;
}

afterEach(async () => {
  // What a failed case left.
  for (const id of ['spawned', 'frozen', 'runs', 'again', 'nested']) {
    await removeEpisodeScope(id, { slice, kill: true }).catch(() => {});
  }
  for (const pid of children.splice(0)) if (alive(pid)) process.kill(pid, 'SIGKILL');
});
afterAll(() => {
  expect(existsSync(slicePath)).toBe(false);
});

async function refusal(act: Promise<unknown>): Promise<TelemetryError> {
  try {
    await act;
  } catch (cause) {
    return cause as TelemetryError;
  }
  throw new Error('it was not refused');
}

const pidsIn = (path: string) =>
  readFileSync(`${path}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);

describe.skipIf(noLeaf !== null)('createEpisodeScope', () => {
  test('moves a process that runs, and remove kills it only when asked to', async () => {
    const pid = sleeper();
    const scope = await createEpisodeScope('runs', pid, {}, where);
    expect(scope.strategy).toBe('direct-write');
    expect(scope.cgroupPath).toBe(`${slicePath}/episode-runs.scope`);
    expect(pidsIn(scope.cgroupPath)).toEqual([pid]);
    expect(await refusal(scope.remove())).toMatchObject({ code: 'ERR_SCOPE_BUSY' });
    expect(alive(pid)).toBe(true);
    await scope.remove({ kill: true });
    expect(alive(pid)).toBe(false);
    expect(existsSync(slicePath)).toBe(false);
    await scope.remove();
    expect(await scope.cpuUsageNs()).toBeNull();
  });

  test('whose removal without a kill is refused is removed by one with it, asked for at once', async () => {
    const scope = await createEpisodeScope('runs', sleeper(), {}, where);
    const [plain, kill] = await Promise.allSettled([scope.remove(), scope.remove({ kill: true })]);
    expect(plain).toMatchObject({ status: 'rejected', reason: { code: 'ERR_SCOPE_BUSY' } });
    expect(kill.status).toBe('fulfilled');
    expect(existsSync(slicePath)).toBe(false);
  });

  test.each([
    [{ timeoutMs: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ timeoutMs: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ timeoutMs: '1' }, 'ERR_INVALID_CONFIG'],
    [{ kill: 'no' }, 'ERR_INVALID_CONFIG'],
    [{ signal: {} }, 'ERR_INVALID_CONFIG'],
    [null, 'ERR_INVALID_CONFIG'],
  ])('is not removed with the options %o', async (options, code) => {
    const pid = sleeper();
    const scope = await createEpisodeScope('runs', pid, {}, where);
    const given = options === null ? null : { kill: true, ...options };
    expect(await refusal(scope.remove(given as never))).toMatchObject({ code });
    expect(await refusal(removeEpisodeScope('runs', { slice, ...given } as never))).toMatchObject({
      code: options === null ? 'ERR_SCOPE_BUSY' : code,
    });
    expect(alive(pid)).toBe(true);
    await scope.remove({ kill: true });
  });

  test('is not removed with a signal that is aborted, and its processes live', async () => {
    const pid = sleeper();
    const scope = await createEpisodeScope('runs', pid, {}, where);
    const options = { kill: true, signal: AbortSignal.abort(new Error('enough')) };
    expect((await refusal(scope.remove(options))).message).toBe('enough');
    const byId = await refusal(removeEpisodeScope('runs', { slice, ...options }));
    expect(byId.message).toBe('enough');
    expect(alive(pid)).toBe(true);
    await scope.remove({ kill: true });
  });

  test('for a process that is gone leaves no descriptor', async () => {
    const pid = sleeper();
    process.kill(pid, 'SIGKILL');
    await until('the sleeper gone', () => !alive(pid));
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const make = () => refusal(createEpisodeScope('gone', pid, {}, where));
    expect(await make()).toMatchObject({ code: 'ERR_PROC_GONE' });
    const before = descriptors();
    for (let i = 0; i < 20; i += 1) await make();
    expect(descriptors()).toBe(before);
  });

  test('is disposed of with all that lives in it', async () => {
    const pid = sleeper();
    const scope = await createEpisodeScope('disposed', pid, {}, where);
    await scope[Symbol.asyncDispose]();
    expect(alive(pid)).toBe(false);
    expect(existsSync(slicePath)).toBe(false);
  });

  test('freezes, thaws, tells its cpu time', async () => {
    const scope = await createEpisodeScope('frozen', sleeper(), {}, where);
    await scope.freeze();
    expect(readFileSync(`${scope.cgroupPath}/cgroup.events`, 'utf8')).toContain('frozen 1');
    await scope.thaw();
    await until('thawed', () =>
      readFileSync(`${scope.cgroupPath}/cgroup.events`, 'utf8').includes('frozen 0'),
    );
    // It may still be about to sleep again.
    const usageNs = () => {
      const text = readFileSync(`${scope.cgroupPath}/cpu.stat`, 'utf8');
      return BigInt(/^usage_usec (\d+)$/m.exec(text)![1]!) * 1_000n;
    };
    const before = usageNs();
    const told = (await scope.cpuUsageNs())!;
    expect(told).toBeGreaterThan(0n);
    expect(told).toBeGreaterThanOrEqual(before);
    expect(told).toBeLessThanOrEqual(usageNs());
    await scope.remove({ kill: true });
  });

  test('does not touch one of the same name that was made later', async () => {
    const scope = await createEpisodeScope('again', sleeper(), {}, where);
    await removeEpisodeScope('again', { kill: true, slice });
    const pid = sleeper();
    const heir = await createEpisodeScope('again', pid, {}, where);
    await scope.remove({ kill: true });
    await scope.kill();
    expect(alive(pid)).toBe(true);
    expect(await refusal(scope.freeze())).toMatchObject({ code: 'ERR_SCOPE_NOT_FOUND' });
    await heir.remove({ kill: true });
  });

  test('of a limit without its controller says so, and puts the process back', async () => {
    const has = readFileSync(`${mount}/cgroup.controllers`, 'utf8');
    if (has.includes('memory')) return;
    const pid = sleeper();
    const before = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
    const failure = await refusal(
      createEpisodeScope('limited', pid, { memoryBytes: 2 ** 20 }, where),
    );
    expect(failure).toMatchObject({ code: 'ERR_CONTROLLER_NOT_ENABLED' });
    expect(failure.message).toContain('memory');
    expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toBe(before);
    expect(existsSync(slicePath)).toBe(false);
  });

  test('aborted before it began does nothing', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const failure = await refusal(
      createEpisodeScope('aborted', sleeper(), {}, { ...where, signal }),
    );
    expect(failure.message).toBe('enough');
    expect(existsSync(slicePath)).toBe(false);
  });

  test('out of time is undone', async () => {
    const pid = sleeper();
    const failure = await refusal(createEpisodeScope('late', pid, {}, { ...where, timeoutMs: 0 }));
    expect(failure).toMatchObject({ code: 'ERR_SCOPE_CREATE', errno: 'ETIMEDOUT' });
    expect(alive(pid)).toBe(true);
    expect(existsSync(slicePath)).toBe(false);
  });

  test('of this very process neither freezes nor kills it', async () => {
    const script = fileURLToPath(new URL('./self-scope.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, slice], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    for await (const chunk of child.stdout) output += String(chunk);
    expect(JSON.parse(output)).toEqual({
      freeze: 'ERR_INVALID_CONFIG',
      kill: 'ERR_INVALID_CONFIG',
      remove: 'ERR_SCOPE_BUSY',
      removeKill: 'ERR_INVALID_CONFIG',
      byId: 'ERR_INVALID_CONFIG',
      freezeExhausted: 'ERR_INVALID_CONFIG',
      killExhausted: 'ERR_INVALID_CONFIG',
      aboveExhausted: 'ERR_INVALID_CONFIG',
    });
    await removeEpisodeScope('self', { slice, kill: true });
  });
});

describe('createEpisodeScope refuses, before anything is made,', () => {
  const ask = (change: { id?: string; pid?: number; limits?: object; options?: object }) =>
    refusal(
      createEpisodeScope(change.id ?? 'x', change.pid ?? process.pid, change.limits ?? {}, {
        ...where,
        ...change.options,
      }),
    );

  test.each(['', '..', 'a/b', 'a b', 'a\0b', 'ä', 'x'.repeat(129), '../../x', 'a.scope'])(
    'the id %j',
    async (id) => {
      expect(await ask({ id })).toMatchObject({ code: 'ERR_INVALID_EPISODE_ID' });
    },
  );

  test.each([
    '',
    'x',
    '../x.slice',
    'a/b.slice',
    '.slice',
    '..slice',
    'a..slice',
    'a\0.slice',
    '/x.slice',
  ])('the slice %j', async (name) => {
    expect(await ask({ options: { slice: name } })).toMatchObject({ code: 'ERR_CGROUP_PATH' });
  });

  test.each(['relative', '/sys/../etc', '', '/sys\0'])('the root %j', async (root) => {
    expect(await ask({ options: { root } })).toMatchObject({ code: 'ERR_CGROUP_PATH' });
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 31])('the pid %j', async (pid) => {
    expect(await ask({ pid })).toMatchObject({ code: 'ERR_INVALID_PID' });
  });

  test.each([
    [{ memoryBytes: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ memoryBytes: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ memoryBytes: 1.5 }, 'ERR_OUT_OF_RANGE'],
    [{ memoryBytes: 2n ** 63n }, 'ERR_OUT_OF_RANGE'],
    [{ memoryBytes: '1G' }, 'ERR_INVALID_CONFIG'],
    [{ memoryByte: 5 }, 'ERR_INVALID_CONFIG'],
    [{ memoryHigh: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ pidsMax: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ cpuQuota: { quotaUsec: 999 } }, 'ERR_OUT_OF_RANGE'],
    [{ cpuQuota: { quotaUsec: 1_000, periodUsec: 999 } }, 'ERR_OUT_OF_RANGE'],
    [{ cpuQuota: { quotaUsec: 1_000, periodUsec: 1_000_001 } }, 'ERR_OUT_OF_RANGE'],
    [{ cpuQuota: 5 }, 'ERR_INVALID_CONFIG'],
    [{ ioMax: { device: '8:0' } }, 'ERR_INVALID_CONFIG'],
    [{ ioMax: [{ device: '/dev/sda', readOpsPerSec: 1 }] }, 'ERR_INVALID_CONFIG'],
    [{ ioMax: [{ device: '8:0 rbps=1\n8:1', readOpsPerSec: 1 }] }, 'ERR_INVALID_CONFIG'],
    [{ ioMax: [{ device: '8:0' }] }, 'ERR_INVALID_CONFIG'],
    [{ memoryOomGroup: 1 }, 'ERR_INVALID_CONFIG'],
    [null, 'ERR_INVALID_CONFIG'],
  ])('the limits %o', async (limits, code) => {
    const act = createEpisodeScope('x', process.pid, limits as object, where);
    expect(await refusal(act)).toMatchObject({ code });
  });

  test.each([
    [{ strategy: 'magic' }],
    [{ strategy: 'systemd', root: '/elsewhere' }],
    [{ timeoutMs: 'soon' }],
    [{ signal: 5 }],
  ])('the options %o', async (options) => {
    expect(await ask({ options })).toMatchObject({ code: 'ERR_INVALID_CONFIG' });
  });

  test('a process that is not there', async () => {
    const child = spawn('true', { stdio: 'ignore' });
    await new Promise((resolve) => child.once('exit', resolve));
    expect(await ask({ pid: child.pid! })).toMatchObject({
      name: 'ProcError',
      code: 'ERR_PROC_GONE',
    });
  });

  test('systemd where it does not run, saying so', async () => {
    if (existsSync('/run/systemd/system')) return;
    const failure = await ask({ options: { strategy: 'systemd' } });
    expect(failure).toMatchObject({ code: 'ERR_SCOPE_CREATE' });
    expect(failure.message).toBe(
      'systemd cannot make a scope for x: this system was not booted with systemd',
    );
  });
});

describe.skipIf(noLeaf !== null)('removeEpisodeScope', () => {
  test('of an unknown id is ERR_SCOPE_NOT_FOUND', async () => {
    expect(await refusal(removeEpisodeScope('unknown', { slice }))).toMatchObject({
      code: 'ERR_SCOPE_NOT_FOUND',
      file: `${slicePath}/episode-unknown.scope`,
    });
  });

  test('removes cgroups inside, deepest first, with what lives there', async () => {
    const pid = sleeper();
    const { cgroupPath } = await createEpisodeScope('nested', pid, {}, where);
    mkdirSync(`${cgroupPath}/a/b/c`, { recursive: true });
    mkdirSync(`${cgroupPath}/d`);
    writeFileSync(`${cgroupPath}/a/b/c/cgroup.procs`, String(pid));
    expect(await refusal(removeEpisodeScope('nested', { slice }))).toMatchObject({
      code: 'ERR_SCOPE_BUSY',
    });
    await removeEpisodeScope('nested', { slice, kill: true });
    expect(alive(pid)).toBe(false);
    expect(existsSync(slicePath)).toBe(false);
  });
});

describe.skipIf(noLeaf !== null).each(LAUNCHERS)('spawnInScope by %s', (_, launcher) => {
  const start = (command: string, args: string[], more: Partial<SpawnInScopeOptions> = {}) =>
    spawnScoped(
      command,
      args,
      { id: 'spawned', ...where, stdio: ['ignore', 'pipe', 'inherit'], ...more },
      { launcher },
    );

  test('gives a real ChildProcess, wholly inside', async () => {
    const script = 'echo $$; grep ^0:: /proc/self/cgroup; exit 7';
    const { child, scope } = await start('/bin/sh', ['-c', script]);
    const exit = new Promise((resolve) => child.once('close', (...end) => resolve(end)));
    let output = '';
    for await (const chunk of child.stdout!) output += String(chunk);
    expect(output).toBe(`${child.pid}\n0::/${slice}/episode-spawned.scope\n`);
    expect(await exit).toEqual([7, null]);
    await scope.remove();
    expect(existsSync(slicePath)).toBe(false);
  });

  test('leaks no descriptor into the command', async () => {
    // As its kind only: the numbers of sockets and pipes differ.
    const listed = async ({ stdout }: ChildProcess) => {
      let text = '';
      for await (const chunk of stdout!) text += String(chunk);
      return [...text.matchAll(/ (\d+ -> [^:\n\d]*)/g)].map(([, line]) => line);
    };
    const list = ['-l', '/proc/self/fd'];
    const plain = await listed(spawn('ls', list, { stdio: ['ignore', 'pipe', 'inherit'] }));
    expect(plain).toContain('0 -> /dev/null');
    for (const beforeExec of [undefined, () => {}]) {
      const { child } = await start('ls', list, { beforeExec });
      expect(await listed(child)).toEqual(plain);
      await removeEpisodeScope('spawned', { slice, kill: true });
    }
  });

  test.each([
    ['', {}],
    [', held before', { beforeExec: () => {} }],
  ])('loses nothing of a command that has ended before its start is told%s', async (_how, more) => {
    // Each turn of the loop is long enough for the whole command, so that its end and its start come in one.
    let slow = true;
    const turn = () => {
      const until = performance.now() + 20;
      while (performance.now() < until);
      if (slow) setImmediate(turn);
    };
    turn();
    for (let round = 0; round < 5; round++) {
      const { child, scope } = await start('sh', ['-c', 'echo all of it; exit 3'], more);
      const told: unknown[] = [];
      child.once('exit', (code) => told.push('exit', code));
      const closed = new Promise((resolve) => child.once('close', resolve));
      let output = '';
      for await (const chunk of child.stdout!) output += String(chunk);
      await closed;
      expect([output, ...told]).toEqual(['all of it\n', 'exit', 3]);
      await scope.remove({ kill: true });
      // Without pipes there is nothing to wait for between its end and its close.
      const silent = await start('true', [], { ...more, stdio: 'ignore' });
      await new Promise((resolve) => silent.child.once('close', resolve));
      await silent.scope.remove({ kill: true });
    }
    slow = false;
  });

  test('closes a command whose output nobody reads', async () => {
    const { child, scope } = await start('echo', ['unread']);
    await new Promise((resolve) => child.once('close', resolve));
    expect(child.exitCode).toBe(0);
    await scope.remove();
  });

  test('keeps the descriptors that were asked for at their numbers', async () => {
    const { child, scope } = await start('/bin/sh', ['-c', 'echo three >&3; echo four >&4'], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'],
    });
    const read = async (at: number) => {
      let text = '';
      for await (const chunk of child.stdio[at] as NodeJS.ReadableStream) text += String(chunk);
      return text;
    };
    expect(await Promise.all([read(3), read(4)])).toEqual(['three\n', 'four\n']);
    await scope.remove({ kill: true });
  });

  test('calls beforeExec inside, before the command runs', async () => {
    const seen: unknown[] = [];
    const { child, scope } = await start('/bin/sh', ['-c', 'exit 0'], {
      beforeExec: ({ cgroupPath }, held) => {
        seen.push(pidsIn(cgroupPath), held.pid);
        seen.push(
          readFileSync(`/proc/${held.pid}/stat`, 'utf8').includes('(sh)') && launcher.kind !== 'sh',
        );
      },
    });
    expect(seen).toEqual([[child.pid], child.pid, false]);
    await scope.remove({ kill: true });
  });

  test.each(['episcope-no-such-command', './none', ''])(
    'of the command %j is ERR_SPAWN_FAILED, and leaves nothing',
    async (command) => {
      expect(await refusal(start(command, []))).toMatchObject({
        code: 'ERR_SPAWN_FAILED',
        errno: 'ENOENT',
        file: command,
      });
      expect(existsSync(slicePath)).toBe(false);
    },
  );

  test('whose beforeExec throws has not run, and leaves nothing', async () => {
    let pid = 0;
    const failure = await refusal(
      start('sleep', ['600'], {
        beforeExec: (_scope, child) => {
          pid = child.pid!;
          throw new Error('not this one');
        },
      }),
    );
    expect(failure.message).toBe('not this one');
    expect(alive(pid)).toBe(false);
    expect(existsSync(slicePath)).toBe(false);
  });

  test('with an id that is taken is ERR_SCOPE_EXISTS, and the first runs on', async () => {
    const { child, scope } = await start('sleep', ['600']);
    expect(await refusal(start('sleep', ['600']))).toMatchObject({ code: 'ERR_SCOPE_EXISTS' });
    expect(alive(child.pid!)).toBe(true);
    await scope.remove({ kill: true });
    expect(readdirSync(mount)).not.toContain(slice);
  });

  test('aborted while it starts leaves nothing', async () => {
    const abort = new AbortController();
    const failure = await refusal(
      start('sleep', ['600'], {
        signal: abort.signal,
        beforeExec: () => abort.abort(new Error('enough')),
      }),
    );
    expect(failure.message).toBe('enough');
    expect(existsSync(slicePath)).toBe(false);
  });

  test.each([{ shell: true }, { argv0: '-sh' }])('refuses %o', async (options) => {
    const given = options as Partial<SpawnInScopeOptions>;
    expect(await refusal(start('true', [], given))).toMatchObject({ code: 'ERR_INVALID_CONFIG' });
  });
});

/** A process that has made a scope; its lines say what runs inside. */
async function startOwner(...args: string[]): Promise<{ owner: ChildProcess; left: number }> {
  const script = fileURLToPath(new URL('./leaves-scope.mjs', import.meta.url));
  const owner = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const left = await new Promise<number>((resolve) => {
    owner.stdout.once('data', (line) => resolve(Number(String(line))));
  });
  return { owner, left };
}

async function kill(owner: ChildProcess): Promise<void> {
  owner.kill('SIGKILL');
  await new Promise((resolve) => owner.once('exit', resolve));
}

test.skipIf(noLeaf !== null)(
  'the id of what a SIGKILLed owner left is free, also for who has made scopes before',
  async () => {
    const own = { slice: `episcope_test_${process.pid}_heir.slice`, strategy: 'direct' } as const;
    const { owner, left } = await startOwner(own.slice);
    const living = await createEpisodeScope('living', sleeper(), {}, own);
    await kill(owner);
    const heir = await createEpisodeScope('left', sleeper(), {}, own);
    expect(alive(left)).toBe(false);
    await heir.remove({ kill: true });
    await living.remove({ kill: true });
    expect(existsSync(`${mount}/${own.slice}`)).toBe(false);
  },
);

test.skipIf(noLeaf !== null)(
  'who lives in a scope that a SIGKILLed owner left may make others, and lives on',
  async () => {
    const own = `episcope_test_${process.pid}_inside.slice`;
    const folder = mkdtempSync(join(tmpdir(), 'episcope-'));
    const told = join(folder, 'told');
    const script = fileURLToPath(new URL('./inside-scope.mjs', import.meta.url));
    try {
      const inside = [process.execPath, script, own, told];
      const { owner } = await startOwner(own, 'left', ...inside);
      await until('the one inside ready', () => existsSync(`${told}.ready`));
      await kill(owner);
      const text = await until('word from inside', () =>
        existsSync(told) ? readFileSync(told, 'utf8') : null,
      );
      expect(text).toBe('made and removed');
    } finally {
      rmSync(folder, { recursive: true });
      await cleanStaleScopes([mount], { slice: own });
    }
    expect(existsSync(`${mount}/${own}`)).toBe(false);
  },
);

test.skipIf(noLeaf !== null)(
  'what a SIGKILLed owner left is removed by the next start, and nothing else',
  async () => {
    const own = `episcope_test_${process.pid}_left.slice`;
    const { owner, left } = await startOwner(own);
    const unmarked = `${mount}/${own}/episode-unmarked.scope`;
    mkdirSync(unmarked);
    const living = await createEpisodeScope(
      'living',
      sleeper(),
      {},
      { slice: own, strategy: 'direct' },
    );
    await kill(owner);
    expect(alive(left)).toBe(true);

    const { owner: starter } = await startOwner(own, 'next');
    expect(alive(left)).toBe(false);
    expect(
      readdirSync(`${mount}/${own}`)
        .filter((name) => name.endsWith('.scope'))
        .sort(),
    ).toEqual(['episode-living.scope', 'episode-next.scope', 'episode-unmarked.scope']);
    await removeEpisodeScope('next', { slice: own, kill: true });
    starter.kill('SIGKILL');
    rmdirSync(unmarked);
    await living.remove({ kill: true });
    await until('the slice gone', () => !existsSync(`${mount}/${own}`));
  },
);
