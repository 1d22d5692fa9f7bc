import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const burner = fileURLToPath(new URL('../../.cache/workloads/burner', import.meta.url));

export interface Burn {
  readonly pid: number;
  /** Resolves, when it has ended by itself, to what its own getrusage said of it and its children, ns. */
  readonly rusageNs: Promise<number>;
  /** Lets it begin. */
  begin(): void;
}

/** Starts the burner, inside a cgroup if one is given; it waits for `begin()`. */
export function startBurner(args: readonly string[], procs?: string): Burn {
  const enter = procs === undefined ? '' : `echo 0 > '${procs}' && `;
  const child = spawn('/bin/sh', ['-c', `${enter}read go && exec "$@"`, 'sh', burner, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const rusageNs = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (_code, signal) => {
      if (signal !== null) return reject(new Error(`the burner was ended by ${signal}`));
      const rusage = JSON.parse(text) as { user_us: number; system_us: number };
      resolve((rusage.user_us + rusage.system_us) * 1000);
    });
  });
  return { pid: child.pid!, rusageNs, begin: () => child.stdin.end('go\n') };
}
