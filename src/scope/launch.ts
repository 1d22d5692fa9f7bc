/**
 * Starting a command inside a cgroup, from its first instruction on. Node has no hook between fork and exec, so
 * something moves itself and then becomes the command, with the same pid: the helper `episcope-exec`, or `/bin/sh`
 * where it was not built.
 */
import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { getSystemErrorName } from 'node:util';
import { loadAddon, packageRoot } from '../engine/native/addon.js';
import { TelemetryError } from '../error/index.js';
import { errnoOf } from '../host/errno.js';
import { messageOf } from '../realm/index.js';
import { lookUpCommand } from './command-path.js';

export interface LaunchOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Of `cgroup.procs` of the scope to start in, open for writing; null: where we are. */
  readonly procsFd: number | null;
  /** The command waits for `release()`, inside the scope, before it runs. */
  readonly held?: boolean;
  /** All but what would put a shell in between. */
  readonly spawn?: SpawnOptions;
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
  /** null once it waits to be released, else why it never will. Never rejects. */
  readonly ready: Promise<LaunchFailure | null>;
  /** null once the command's image runs, else why it does not. Never rejects. */
  readonly started: Promise<LaunchFailure | null>;
  /** Never settles where `pid` is null. */
  readonly exited: Promise<Exit>;
  /** Lets a held command run. */
  release(): void;
  /** Ends what is held instead of the command; it exits with 125. */
  abandon(): void;
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
  const { procsFd, held = false } = options;
  // Node refuses this before any process is made; execvp would say ENOENT.
  if (options.command === '') return notStarted('ENOENT');
  if (procsFd === null && !held) return start(options, options.command, options.args, null);
  const stdio = wholeStdio(options.spawn?.stdio);
  const control = stdio.length;
  const procs = control + 1;
  stdio.push('pipe');
  if (procsFd !== null) stdio.push(procsFd);
  const helper = options.helper === undefined ? launchHelper() : options.helper;
  const numbers = [control, held ? control : '-', procsFd === null ? '-' : procs].map(String);
  if (helper !== null) {
    return start(options, helper, [...numbers, options.command, ...options.args], {
      stdio,
      control,
    });
  }
  return spawnByShell(options, numbers, { stdio, control });
}

/** All descriptors, and which of them is our line to the launcher. */
interface Line {
  readonly stdio: StdioOptions;
  readonly control: number;
}

/** As Node fills it up: three pipes at least. */
function wholeStdio(stdio: StdioOptions = 'pipe'): Exclude<StdioOptions, string> {
  if (typeof stdio === 'string') return [stdio, stdio, stdio];
  const whole = [...stdio];
  while (whole.length < 3) whole.push('pipe');
  return whole;
}

// The line is closed before the exec, so this tells only of the move; the exec was looked up before.
const SHELL_SCRIPT = `control=$1 gate=$2 procs=$3
shift 3
if [ "$procs" != - ]; then
  { eval "echo 0 >&$procs"; } 2>/dev/null || { eval "echo cgroup 0 >&$control"; exit 126; }
  eval "exec $procs>&-"
fi
if [ "$gate" != - ]; then
  eval "echo ready >&$gate" || exit 125
  eval "read -r go <&$gate" || exit 125
fi
eval "exec $control>&-"
exec "$@"`;

function spawnByShell(options: LaunchOptions, numbers: readonly string[], line: Line): Launched {
  const { command, args } = options;
  const { env = process.env, cwd } = options.spawn ?? {};
  const directory = typeof cwd === 'string' ? cwd : process.cwd();
  const found = lookUpCommand(command, env.PATH, directory);
  // Node's own spawn tells a missing command without running anything.
  if (found !== 'found') return start(options, command, args, null);
  return start(
    options,
    '/bin/sh',
    ['-c', SHELL_SCRIPT, 'episcope', ...numbers, command, ...args],
    line,
  );
}

function start(
  options: LaunchOptions,
  file: string,
  args: readonly string[],
  line: Line | null,
): Launched {
  let child: ChildProcess;
  try {
    const spawnOptions = { ...options.spawn, ...(line === null ? {} : { stdio: line.stdio }) };
    child = spawn(file, args, spawnOptions);
  } catch (cause) {
    const errno = errnoOf(cause);
    // What Node refuses to take has no errno.
    if (errno.startsWith('ERR_')) throw refusedByNode(cause);
    // Some errnos (E2BIG, EPERM) are thrown, the others come as an event.
    return notStarted(errno);
  }
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const spawned = new Promise<LaunchFailure | null>((resolve) => {
    child.on('error', (cause) => resolve({ stage: 'exec', errno: errnoOf(cause) }));
    child.once('spawn', () => resolve(null));
  });
  const socket = line === null ? null : child.stdio[line.control];
  const report = socket instanceof Duplex ? readReport(socket) : NOTHING_TO_REPORT;
  const after = (told: Promise<LaunchFailure | null>) => spawned.then((failure) => failure ?? told);
  const [ready, started] = [after(report.ready), after(report.ended)];
  // What nobody reads would make the kernel reset the line, and the report with it.
  const isHeld = options.held === true && socket instanceof Duplex;
  const release = (): void => void (isHeld && socket.write('\n'));
  const abandon = (): void => void (socket instanceof Duplex && socket.destroy());
  if (child.pid === undefined) return { ...NEVER, ready, started };
  return { child, pid: child.pid, ready, started, exited, release, abandon };
}

function refusedByNode(cause: unknown): TelemetryError {
  const why = messageOf(cause);
  return new TelemetryError('ERR_INVALID_CONFIG', `the options are not for spawn: ${why}`, {
    cause,
  });
}

const NEVER = {
  child: null,
  pid: null,
  exited: never(),
  release: () => {},
  abandon: () => {},
} as const;

function notStarted(errno: string): Launched {
  const failed = Promise.resolve<LaunchFailure>({ stage: 'exec', errno });
  return { ...NEVER, ready: failed, started: failed };
}

/** What a launcher writes before the exec closes its end. */
interface Report {
  readonly ready: Promise<LaunchFailure | null>;
  readonly ended: Promise<LaunchFailure | null>;
}

const NOTHING_TO_REPORT: Report = { ready: Promise.resolve(null), ended: Promise.resolve(null) };

function readReport(socket: Duplex): Report {
  let text = '';
  let isReady = (): void => {};
  const waits = new Promise<null>((resolve) => {
    isReady = () => resolve(null);
  });
  // A line that broke says as little as one that closed.
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += String(chunk);
    if (text.startsWith('ready\n')) isReady();
  });
  const ended = new Promise<LaunchFailure | null>((resolve) => {
    socket.once('close', () => resolve(failureIn(text)));
  });
  socket.once('end', () => socket.destroy());
  // Ended before it was ready without a word: killed, or abandoned.
  const instead = ended.then((failure) => failure ?? ({ stage: 'exec', errno: null } as const));
  return { ready: Promise.race([waits, instead]), ended };
}

function failureIn(text: string): LaunchFailure | null {
  const [, stage, errno] = /^(cgroup|exec) (\d+)$/m.exec(text) ?? [];
  if (stage !== 'cgroup' && stage !== 'exec') return null;
  return { stage, errno: Number(errno) > 0 ? getSystemErrorName(-Number(errno)) : null };
}

function never(): Promise<Exit> {
  return new Promise(() => {});
}
