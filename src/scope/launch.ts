/**
 * Starting a command inside a cgroup, from its first instruction on. Node has no hook between fork and exec, so
 * something moves itself and then becomes the command, with the same pid: the helper `episcope-exec`, or `/bin/sh`
 * where it was not built.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { getSystemErrorName } from 'node:util';
import { loadAddon, packageRoot } from '../engine/native/addon.js';
import { errnoOf } from '../host/cgroup-files.js';
import { lookUpCommand } from './command-path.js';

export interface LaunchOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** `cgroup.procs` of the scope to start in; null: where we are. */
  readonly procsPath: string | null;
  /** stdin, stdout, stderr. */
  readonly stdio?: 'inherit' | 'pipe' | 'ignore';
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The helper's path, null for `/bin/sh`; by default the helper where it was built. */
  readonly helper?: string | null;
}

/** Why the command did not start. `cgroup`: it could not enter the scope; `exec`: it is not there or not executable. */
export interface LaunchFailure {
  readonly stage: 'cgroup' | 'exec';
  readonly errno: string | null;
}

export interface Exit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Launched {
  /** null, as is `pid`, where not even a process could be made; `started` says why. */
  readonly child: ChildProcess | null;
  readonly pid: number | null;
  /** null once the command's image runs, else why it does not. Never rejects. */
  readonly started: Promise<LaunchFailure | null>;
  /** Never settles where `pid` is null. */
  readonly exited: Promise<Exit>;
}

/** The helper that was built with the addon, or null: without the addon nothing native is used. */
export function launchHelper(): string | null {
  if (loadAddon().addon === null) return null;
  const path = join(packageRoot, 'build', 'Release', 'episcope-exec');
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return null;
  }
}

export function launch(options: LaunchOptions): Launched {
  const { procsPath } = options;
  // Node refuses this before any process is made; execvp would say ENOENT.
  if (options.command === '') return notStarted('ENOENT');
  if (procsPath === null) return spawnDirectly(options);
  const helper = options.helper === undefined ? launchHelper() : options.helper;
  return helper === null
    ? spawnByShell(options, procsPath)
    : spawnByHelper(options, helper, procsPath);
}

/** Where the launchers find their error pipe. */
const ERROR_FD = 3;

function spawnDirectly(options: LaunchOptions): Launched {
  return start(options, options.command, options.args, false);
}

function spawnByHelper(options: LaunchOptions, helper: string, procsPath: string): Launched {
  const args = [String(ERROR_FD), procsPath, options.command, ...options.args];
  return start(options, helper, args, true);
}

// fd 3 is closed before the exec, so this tells only of the move; the exec was looked up before.
const SHELL_SCRIPT = `{ echo 0 >"$1"; } 2>/dev/null || { echo "cgroup 0" >&${ERROR_FD}; exit 126; }
shift
exec "$@" ${ERROR_FD}>&-`;

function spawnByShell(options: LaunchOptions, procsPath: string): Launched {
  const { command, args, env = process.env, cwd = process.cwd() } = options;
  const found = lookUpCommand(command, env.PATH, cwd);
  // Node's own spawn tells a missing command without running anything.
  if (found !== 'found') return start(options, command, args, false);
  const shell = ['-c', SHELL_SCRIPT, 'episcope', procsPath, command, ...args];
  return start(options, '/bin/sh', shell, true);
}

function start(
  options: LaunchOptions,
  file: string,
  args: readonly string[],
  errorPipe: boolean,
): Launched {
  const three = options.stdio ?? 'inherit';
  const stdio: StdioOptions = errorPipe ? [three, three, three, 'pipe'] : [three, three, three];
  let child: ChildProcess;
  try {
    child = spawn(file, args, {
      stdio,
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
  } catch (cause) {
    // Some errnos (E2BIG, EPERM) are thrown, the others come as an event.
    return notStarted(errnoOf(cause));
  }
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const spawned = new Promise<LaunchFailure | null>((resolve) => {
    child.on('error', (cause) => resolve({ stage: 'exec', errno: errnoOf(cause) }));
    child.once('spawn', () => resolve(null));
  });
  const pipe = errorPipe ? child.stdio[ERROR_FD] : null;
  const report = pipe instanceof Readable ? readReport(pipe) : Promise.resolve(null);
  const started = spawned.then((failure) => failure ?? report);
  if (child.pid === undefined) return { child: null, pid: null, started, exited: never() };
  return { child, pid: child.pid, started, exited };
}

function notStarted(errno: string): Launched {
  const started = Promise.resolve<LaunchFailure>({ stage: 'exec', errno });
  return { child: null, pid: null, started, exited: never() };
}

/** What the launcher wrote before its end: nothing, where the exec closed the pipe. */
async function readReport(pipe: Readable): Promise<LaunchFailure | null> {
  let text = '';
  try {
    for await (const chunk of pipe) text += String(chunk);
  } catch {
    // A pipe that broke says as little as one that closed.
  }
  const [, stage, errno] = /^(cgroup|exec) (\d+)$/m.exec(text) ?? [];
  if (stage !== 'cgroup' && stage !== 'exec') return null;
  return { stage, errno: Number(errno) > 0 ? getSystemErrorName(-Number(errno)) : null };
}

function never(): Promise<Exit> {
  return new Promise(() => {});
}
