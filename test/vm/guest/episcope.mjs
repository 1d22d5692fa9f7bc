/** The command line under test. */
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { within } from './until.mjs';
import { Program } from './workload.mjs';

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

let summaries = 0;

/** `episcope` with these arguments, running. */
export function startEpiscope(t, args, options = {}) {
  return new Program(t, process.execPath, [MAIN, ...args], options);
}

/** `episcope` with these arguments, to its end. Its input is empty. */
export async function episcope(t, args, options = {}) {
  const running = startEpiscope(t, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
  let stderr = '';
  running.child.stderr.setEncoding('utf8').on('data', (data) => {
    stderr += data;
  });
  running.child.stdin.end();
  const lines = [];
  for (let line = await running.line(); line !== undefined; line = await running.line()) {
    lines.push(line);
  }
  const { code, signal } = await within('the end of episcope', running.exited);
  return { code, signal, lines, stderr };
}

/** `episcope run` on a command, with its summary. */
export async function measure(t, options, command, spawnOptions = {}) {
  const file = `/tmp/summary-${process.pid}-${summaries++}.json`;
  const args = ['run', '--json', file, ...options, '--', ...command];
  const result = await episcope(t, args, spawnOptions);
  let summary;
  try {
    summary = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Error(`no summary: exit ${result.code}, ${result.stderr}`, { cause });
  }
  rmSync(file);
  return { ...result, summary };
}
