import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

// `episcope run … 2>&1 | reader`: were the pipe non-blocking, a slow reader would make the command's writes fail.
it.each(['auto', 'proc'])('a slow reader of 2>&1 gets every byte, --tier %s', async (tier) => {
  const numbers = 300_000;
  const command = `node "$0" run --quiet --tier ${tier} -- seq ${numbers}; echo status $?`;
  const shell = spawn('/bin/sh', ['-c', `(${command}) 2>&1`, main], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const { stdout } = shell;
  stdout.setEncoding('utf8').on('data', async (chunk: string) => {
    text += chunk;
    // The command writes faster than this: the pipe is full nearly all the time.
    stdout.pause();
    await delay(5);
    stdout.resume();
  });
  await once(shell, 'close');
  expect(text.split('\n').length).toBe(numbers + 2);
  expect(text.endsWith(`\n${numbers}\nstatus 0\n`)).toBe(true);
});
