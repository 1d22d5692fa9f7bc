import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LaunchOptions, launch, launchHelper } from '../../src/scope/index.js';
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

async function start(options: Partial<LaunchOptions> & { command: string }) {
  const launched = launch({ args: [], procsPath: null, stdio: 'pipe', ...options });
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

const LAUNCHERS: [string, () => Partial<LaunchOptions>][] = [
  ['the helper', () => ({ helper: launchHelper(), procsPath: leaf.procs })],
  ['/bin/sh', () => ({ helper: null, procsPath: leaf.procs })],
  ['no launcher', () => ({ procsPath: null })],
];

test('the helper was built beside the addon', () => {
  expect(launchHelper()).toMatch(/episcope-exec$/);
});

describe.skipIf(noLeaf !== null).each(LAUNCHERS)('a command started by %s', (_, by) => {
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

describe.skipIf(noLeaf !== null).each(LAUNCHERS.slice(0, 2))(
  'a cgroup entered by %s',
  (name, by) => {
    test('holds the command from its first instruction, with the pid we know', async () => {
      const script = 'echo $$; grep ^0:: /proc/self/cgroup';
      const { output, pid } = await start({ command: '/bin/sh', args: ['-c', script], ...by() });
      expect(output).toMatch(new RegExp(`^${pid}\n0::.*episcope-test-.*-launch\n$`));
    });

    test('that cannot be entered keeps the command from running', async () => {
      const never = join(directory, `never-${name.length}`);
      const procsPath = join(directory, 'nowhere', 'cgroup.procs');
      const { failure } = await start({ command: 'touch', args: [never], ...by(), procsPath });
      expect(failure?.stage).toBe('cgroup');
      expect(existsSync(never)).toBe(false);
    });
  },
);

test.skipIf(noLeaf !== null)('the helper tells 127 from 126 by its exit status too', async () => {
  const helper = launchHelper();
  const at = async (command: string) =>
    (await start({ command, cwd: directory, helper, procsPath: leaf.procs })).exit?.code;
  expect(await at('./none')).toBe(127);
  expect(await at('./orphaned')).toBe(127);
  expect(await at('./plain')).toBe(126);
});
