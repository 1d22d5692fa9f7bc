import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** Runs a script of the test folder in a process of its own, against the built package; its stdout as JSON. */
export async function runScript<T>(
  script: URL,
  args: readonly (string | number)[],
  nodeOptions: readonly string[] = [],
): Promise<T> {
  const { stdout } = await execFileAsync(
    process.execPath,
    ['--expose-gc', ...nodeOptions, fileURLToPath(script), ...args.map(String)],
    { env: { ...process.env, NODE_OPTIONS: '' } },
  );
  return JSON.parse(stdout) as T;
}
