import { type ChildProcess, spawn } from 'node:child_process';

/** Runs a command to its end, and its stdout by lines; each is given to `onLine` as it comes. */
export async function linesOfCommand(
  command: readonly [string, ...string[]],
  onLine: (line: string, child: ChildProcess) => void = () => {},
): Promise<{ readonly lines: string[]; readonly signal: NodeJS.Signals | null }> {
  const [file, ...args] = command;
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const lines: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      onLine(line, child);
    }
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (_code, signal) => resolve({ lines, signal }));
  });
}
