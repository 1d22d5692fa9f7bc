/** Starts a command by each launcher, from a working directory that was deleted; prints what came of each. */
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch, launchHelper, perlLauncher, SHELL_LAUNCHER } from '../../dist/scope/index.js';

const directory = mkdtempSync(join(tmpdir(), 'episcope-deleted-'));
process.chdir(directory);
rmdirSync(directory);

const told = {};
for (const launcher of [launchHelper(), perlLauncher(), SHELL_LAUNCHER]) {
  if (launcher === null) continue;
  const stdio = ['ignore', 'pipe', 'pipe'];
  const args = ['-c', 'readlink /proc/self/cwd; echo $0'];
  const launched = launch({
    command: '/bin/bash',
    args: ['--norc', ...args],
    procsFd: null,
    held: true,
    spawn: { stdio, env: { PATH: process.env.PATH, PWD: '/stale', SHLVL: '7' } },
    launcher,
  });
  let output = '';
  for (const stream of [launched.child.stdout, launched.child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const closed = new Promise((resolve) => launched.child.once('close', resolve));
  await launched.ready;
  launched.release();
  const failure = await launched.started;
  await closed;
  const where = output.replace(directory, 'D').replace(/^.*getcwd.*\n/gm, '');
  told[launcher.kind] = { failure, where };
}
console.log(JSON.stringify(told));
