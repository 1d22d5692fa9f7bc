import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const CLI: string = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const workloads = new URL('../../.cache/workloads/', import.meta.url);
export const workload = (name: string): string => fileURLToPath(new URL(name, workloads));

/** The two ways to be installed: with the addon, and where it does not load. */
export const INSTALLS = [
  { name: 'with the addon', env: {} },
  { name: 'without the addon', env: { NODE_OPTIONS: '--no-addons' } },
] as const;

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Buffer | string;
  /** `child.stdin` stays open, for who writes to it. */
  readonly keepStdin?: boolean;
}

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly done: Promise<CliResult>;
  stdout(): string;
  /** Resolves once stdout matches. */
  saw(pattern: RegExp): Promise<RegExpExecArray>;
}

export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => {});
  if (options.keepStdin !== true) child.stdin.end(options.input ?? '');
  const done = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({
        code,
        signal,
        stdout: Buffer.concat(stdout),
        stderr: String(Buffer.concat(stderr)),
      });
    });
  });
  const text = () => String(Buffer.concat(stdout));
  return {
    child,
    done,
    stdout: text,
    saw: (pattern) => until(`stdout to match ${pattern}`, () => pattern.exec(text())),
  };
}

export function cli(args: readonly string[], options?: CliOptions): Promise<CliResult> {
  return startCli(args, options).done;
}

export interface SummaryJson {
  readonly episode_id: string;
  readonly command: string[];
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly cpu_ns: number | null;
  readonly frames: number;
  readonly missed: number;
  readonly engine: string;
  readonly sources: { readonly cpu: string; readonly memory: string; readonly io: string };
  readonly degraded_reason: string | null;
  readonly [key: string]: unknown;
}

let files = 0;

/** A file name of our own that does not exist. */
export function tempFile(name: string): string {
  files += 1;
  return join(tmpdir(), `episcope-test-${process.pid}-${files}-${name}`);
}

/** Runs `episcope run` and returns its summary too. */
export async function measure(
  args: readonly string[],
  options?: CliOptions,
): Promise<CliResult & { readonly summary: SummaryJson }> {
  const file = tempFile('summary.json');
  try {
    const result = await cli(['run', '--json', file, ...args], options);
    return { ...result, summary: JSON.parse(readFileSync(file, 'utf8')) as SummaryJson };
  } finally {
    rmSync(file, { force: true });
  }
}

/** Polls until `probe` gives something that is not null or false; a bounded wait for a condition. */
export async function until<T>(what: string, probe: () => T | null | false): Promise<T> {
  for (let tries = 0; tries < 4_000; tries += 1) {
    const found = probe();
    if (found !== null && found !== false) return found;
    await delay(5);
  }
  throw new Error(`waited in vain for ${what}`);
}

/** Whether a process lives; a zombie does not. */
export function alive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
