import type { SpawnOptions } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Launched, type Launcher, launch, launchHelper } from '../../src/scope/index.js';
import { LAUNCHERS } from '../support/launchers.js';
import { Leaf } from '../support/leaf.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`starting inside a cgroup is not tested here: ${noLeaf}`);

let directory: string;
let leaf: Leaf;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'episcope-launch-'));
  writeFileSync(join(directory, 'plain'), 'no program');
  writeFileSync(join(directory, 'orphaned'), '#!/no/such/interpreter\n');
  chmodSync(join(directory, 'orphaned'), 0o755);
  if (noLeaf === null) leaf = Leaf.make('launch');
});

afterAll(async () => {
  rmSync(directory, { recursive: true });
  if (noLeaf === null) await leaf.remove();
});

interface Start {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly launcher?: Launcher;
  readonly spawn?: SpawnOptions;
  /** The file that stands for `cgroup.procs`; left out: none. */
  readonly procs?: { readonly path: string; readonly flags: number };
}

async function start({ command, args = [], cwd, launcher, spawn, procs }: Start) {
  const procsFd = procs === undefined ? null : openSync(procs.path, procs.flags);
  const launched = launch({ command, args, procsFd, spawn: { ...spawn, cwd }, launcher });
  if (procsFd !== null) closeSync(procsFd);
  let output = '';
  launched.child?.stdout?.on('data', (chunk) => {
    output += String(chunk);
  });
  const closed = new Promise<void>((resolve) => launched.child?.once('close', () => resolve()));
  const failure = await launched.started;
  if (launched.pid === null) return { failure, exit: null, output, pid: null };
  const exit = await launched.exited;
  await closed;
  return { failure, exit, output, pid: launched.pid };
}

const inLeaf = () => ({ path: leaf.procs, flags: constants.O_WRONLY });

const INTO_LEAF = LAUNCHERS.map(([name, launcher]): [string, () => Partial<Start>] => [
  name,
  () => ({ launcher, procs: inLeaf() }),
]);
const WAYS: [string, () => Partial<Start>][] = [...INTO_LEAF, ['no launcher', () => ({})]];

test('the helper was built beside the addon', () => {
  expect(launchHelper()?.path).toMatch(/episcope-exec$/);
});

describe.skipIf(noLeaf !== null).each(WAYS)('a command started by %s', (_, by) => {
  test('has no descriptor of ours', async () => {
    // Those above 2 that are not close-on-exec here come from whoever started the tests.
    const list = 'ls -l /proc/$$/fd | grep -c "socket:" ; [ -e /proc/$$/fd/3 ] && echo three';
    const { output } = await start({ command: '/bin/sh', args: ['-c', list], ...by() });
    const plain = await start({ command: '/bin/sh', args: ['-c', list] });
    expect(output).toBe(plain.output);
    expect(output).not.toContain('three');
  });

  test('has the default signals: none ignored, none blocked', async () => {
    const { output } = await start({ command: 'cat', args: ['/proc/self/status'], ...by() });
    expect(output).toMatch(/^SigBlk:\t0+$/m);
    expect(output).toMatch(/^SigIgn:\t0+$/m);
  });

  test('has the arguments as they are', async () => {
    const args = ['%s|', 'a b', '', '$HOME', "it's", '--', '*'];
    const { output } = await start({ command: 'printf', args, ...by() });
    expect(output).toBe("a b||$HOME|it's|--|*|");
  });

  test('passes its exit status, and the signal that ended it', async () => {
    const exits = await Promise.all([
      start({ command: '/bin/sh', args: ['-c', 'exit 41'], ...by() }),
      start({ command: '/bin/sh', args: ['-c', 'kill -TERM $$'], ...by() }),
    ]);
    expect(exits.map(({ exit }) => exit)).toEqual([
      { code: 41, signal: null },
      { code: null, signal: 'SIGTERM' },
    ]);
    expect(exits.map(({ failure }) => failure)).toEqual([null, null]);
  });

  test('that does not exist is told as such', async () => {
    for (const command of ['episcope-no-such-command', './none', '/none/such', '']) {
      const { failure } = await start({ command, cwd: directory, ...by() });
      expect(failure, command).toEqual({ stage: 'exec', errno: 'ENOENT' });
    }
  });

  test('that is not executable is told as such', async () => {
    for (const command of ['./plain', '/etc', `${directory}/plain`]) {
      const { failure } = await start({ command, cwd: directory, ...by() });
      expect(failure, command).toEqual({ stage: 'exec', errno: 'EACCES' });
    }
  });
});

describe.skipIf(noLeaf !== null).each(INTO_LEAF)('a cgroup entered by %s', (name, by) => {
  test('holds the command from its first instruction, with the pid we know', async () => {
    const script = 'echo $$; grep ^0:: /proc/self/cgroup';
    const { output, pid } = await start({ command: '/bin/sh', args: ['-c', script], ...by() });
    expect(output).toMatch(new RegExp(`^${pid}\n0::.*episcope-test-.*-launch\n$`));
  });

  test('that cannot be entered keeps the command from running', async () => {
    const never = join(directory, `never-${name.length}`);
    // Nothing can be written to it.
    const procs = { path: leaf.procs, flags: constants.O_RDONLY };
    const { failure } = await start({ command: 'touch', args: [never], ...by(), procs });
    expect(failure?.stage).toBe('cgroup');
    expect(existsSync(never)).toBe(false);
  });
});

test.skipIf(noLeaf !== null)('the helper tells 127 from 126 by its exit status too', async () => {
  const launcher = launchHelper()!;
  const at = async (command: string) =>
    (await start({ command, cwd: directory, launcher, procs: inLeaf() })).exit?.code;
  expect(await at('./none')).toBe(127);
  expect(await at('./orphaned')).toBe(127);
  expect(await at('./plain')).toBe(126);
});

describe.each(LAUNCHERS)('what is held by %s', (_, launcher) => {
  const hold = (command: string, args: readonly string[] = []): Launched =>
    launch({ command, args, procsFd: null, held: true, launcher });

  test('waits with its own pid until it is released, and then is the command', async () => {
    const file = join(directory, `released-${launcher.kind}`);
    const launched = hold('/bin/sh', ['-c', `echo $$ >${file}`]);
    expect(await launched.ready).toBeNull();
    expect(existsSync(file)).toBe(false);
    launched.release();
    expect(await launched.started).toBeNull();
    expect(await launched.exited).toEqual({ code: 0, signal: null });
    expect(readFileSync(file, 'utf8')).toBe(`${launched.pid}\n`);
  });

  test('ends without having run when it is abandoned', async () => {
    const file = join(directory, `abandoned-${launcher.kind}`);
    const launched = hold('touch', [file]);
    expect(await launched.ready).toBeNull();
    launched.abandon();
    expect(await launched.exited).toEqual({ code: 125, signal: null });
    expect(existsSync(file)).toBe(false);
  });

  test('that is killed while it waits is told as not started', async () => {
    const launched = hold('sleep', ['600']);
    expect(await launched.ready).toBeNull();
    launched.child?.kill('SIGKILL');
    expect(await launched.started).toEqual({ stage: 'exec', errno: null });
    expect(await launched.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('that does not exist is told as such', async () => {
    const launched = hold('episcope-no-such-command');
    await launched.ready;
    launched.release();
    expect(await launched.started).toEqual({ stage: 'exec', errno: 'ENOENT' });
  });
});
