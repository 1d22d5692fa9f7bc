import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ScriptEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a script of the test folder in a process of its own, against the built package, to its end, whatever that is.
 * One that does not end is killed after `boundMs`, and its signal is then SIGKILL.
 */
export function scriptEnd(
  script: URL,
  args: readonly (string | number)[],
  boundMs = 30_000,
  nodeOptions: readonly string[] = [],
): Promise<ScriptEnd> {
  const argv = ['--expose-gc', ...nodeOptions, fileURLToPath(script), ...args.map(String)];
  const child = spawn(process.execPath, argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout: boundMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
