/** Whatever starts it, the command is as Node's own spawn would have started it; or it is refused before anything is. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Launched, type Launcher, launch } from '../../src/scope/index.js';
import { LAUNCHERS } from '../support/launchers.js';
import { runScript } from '../support/run-script.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'episcope-exact-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What is for the shell alone, as it cannot do everything. */
const can = (launcher: Launcher) => launcher.kind !== 'sh';

async function outcome(launched: Launched) {
  const output = launched.child === null ? null : buffer(launched.child.stdout!);
  await launched.ready;
  launched.release();
  const failure = await launched.started;
  return { failure, output: String(await output), exit: await launched.exited };
}

const environmentOf = async (env: NodeJS.ProcessEnv) => {
  const child = spawn('/bin/cat', ['/proc/self/environ'], { env, stdio: ['ignore', 'pipe', 2] });
  return String(await buffer(child.stdout!));
};
const sorted = (block: string) => block.split('\0').sort();

const PLAIN: [string, NodeJS.ProcessEnv][] = [
  [
    'with what shells set',
    { PWD: '/stale', OLDPWD: '/old', SHLVL: '3', _: '/bin/x', PATH: '/bin' },
  ],
  ['without any of that', { PATH: '/usr/bin:/bin', HOME: '/' }],
  ['with odd values', { A: '', B: 'it\'s\n$HOME `x` \\ "', C: 'ä€𝄞', D: '=', E: ' a=b ' }],
  ['with names of ours', { control: 'a', gate: 'b', procs: 'c', line: 'd', LC_ALL: 'none' }],
  ['with inherited names', Object.assign(Object.create({ A: 'inherited' }), { B: 'own' })],
  ['with what is for perl and bash', { PERL5OPT: '-MNone', BASH_ENV: '/none', ENV: '/none' }],
];
const ODD: [string, NodeJS.ProcessEnv][] = [
  ['discovery.type', { 'discovery.type': 'single-node' }],
  ['npm_config_//registry/:_authToken', { 'npm_config_//registry/:_authToken': 'a=b' }],
  ['1st', { '1st': '1' }],
  ['a name with a space', { 'a b': 'c' }],
  ['IFS', { IFS: 'x' }],
  ['an inherited name with a dot', Object.create({ 'a.b': 'c' })],
];

describe.each(LAUNCHERS)('a command started by %s', (_, launcher) => {
  const hold = (command: string, args: readonly string[], more: object = {}): Launched =>
    launch({
      command,
      args,
      procsFd: null,
      held: true,
      launcher,
      spawn: { stdio: ['ignore', 'pipe', 'inherit'], ...more },
    });

  test.each(PLAIN)('has its environment, %s', async (_how, env) => {
    const { output } = await outcome(hold('/bin/cat', ['/proc/self/environ'], { env }));
    expect(sorted(output)).toEqual(sorted(await environmentOf(env)));
  });

  test.each(ODD)('has the variable %s, or is refused', async (_name, env) => {
    const start = () => hold('/bin/cat', ['/proc/self/environ'], { env });
    if (can(launcher)) {
      const { output } = await outcome(start());
      expect(sorted(output)).toEqual(sorted(await environmentOf(env)));
    } else {
      expect(start).toThrow(expect.objectContaining({ code: 'ERR_SPAWN_FAILED' }));
    }
  });

  test('has an ipc channel that was asked for', async () => {
    const talk = 'process.send(process.argv0.length); process.disconnect()';
    const launched = hold(process.execPath, ['-e', talk], { stdio: ['ignore', 'pipe', 2, 'ipc'] });
    const message = new Promise((resolve) => launched.child!.once('message', resolve));
    await outcome(launched);
    expect(await message).toBe(process.execPath.length);
  });

  test.each([3, 7, 8, 9, 10, 12, 30])(
    'has all of its %i descriptors, or is refused',
    async (count) => {
      const stdio = [
        'ignore',
        'pipe',
        'inherit',
        ...Array.from({ length: count - 3 }, () => 'pipe'),
      ];
      const list = ['-c', 'cd /proc/self/fd; for fd in *; do echo $fd; done'];
      const start = () => hold('/bin/bash', ['--norc', ...list], { stdio });
      if (launcher.kind === 'sh' && count > 9) {
        expect(start).toThrow(expect.objectContaining({ code: 'ERR_SPAWN_FAILED' }));
        return;
      }
      const plain = spawn('/bin/bash', ['--norc', ...list], { stdio: stdio as never });
      const wanted = buffer(plain.stdout!);
      const { output } = await outcome(start());
      expect(output).toBe(String(await wanted));
    },
  );

  test('ends with a status of its own, also with those that a launcher would use', async () => {
    for (const status of [1, 2, 125, 126, 127]) {
      const told = await outcome(hold('/bin/sh', ['-c', `exit ${status}`]));
      expect(told).toMatchObject({ failure: null, exit: { code: status } });
    }
  });

  test('that the kernel refuses is told as not started, whatever it is refused for', async () => {
    const orphaned = join(directory, `orphaned-${launcher.kind}`);
    writeFileSync(orphaned, '#!/no/such/interpreter\n');
    chmodSync(orphaned, 0o755);
    const never = join(directory, `never-${launcher.kind}`);
    expect((await outcome(hold(orphaned, [never]))).failure).toEqual({
      stage: 'exec',
      errno: 'ENOENT',
    });
    // Somebody writes it: it may not run meanwhile.
    const busy = join(directory, `busy-${launcher.kind}`);
    copyFileSync('/bin/touch', busy);
    chmodSync(busy, 0o755);
    const writer = openSync(busy, 'r+');
    const { failure } = await outcome(hold(busy, [never]));
    closeSync(writer);
    // A shell tells by its status, and no errno.
    expect(failure).toEqual({ stage: 'exec', errno: can(launcher) ? 'ETXTBSY' : 'EACCES' });
    expect(existsSync(never)).toBe(false);
  });
});

test('a command is started from a directory that was deleted', async () => {
  const script = new URL('./deleted-directory.mjs', import.meta.url);
  const told = await runScript<Record<string, unknown>>(script, []);
  for (const [, { kind }] of LAUNCHERS) {
    expect(told[kind]).toEqual({ failure: null, where: 'D (deleted)\n/bin/bash\n' });
  }
});
