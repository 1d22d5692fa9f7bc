/**
 * Starts a command inside a cgroup, from its first instruction on. Node has no hook between fork and exec, so a
 * launcher moves itself and then becomes the command, with the same pid.
 */
import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { errnoName } from '../error/errno-name.js';
import { TelemetryError } from '../error/index.js';
import { type Exit, exitOf } from '../kernel/child-exit.js';
import { whyNotOpen } from '../kernel/descriptors.js';
import { errnoOf } from '../kernel/errno.js';
import { messageOf } from '../realm/index.js';
import { lookUpCommand } from './command-path.js';
import { bestLauncher, type Launcher, launcherStart } from './launcher.js';

export interface LaunchOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Descriptor of the scope's `cgroup.procs`, open for writing; null: start in our own cgroup. */
  readonly procsFd: number | null;
  /** The command waits inside the scope for `release()` before it runs. */
  readonly held?: boolean;
  /** All options except those that would put a shell in between. */
  readonly spawn?: SpawnOptions;
  /** By default, the best launcher that is installed. */
  readonly launcher?: Launcher | undefined;
}

/** Why the command did not start. `cgroup`: it could not enter the scope; `exec`: it is missing or not executable. */
export interface LaunchFailure {
  readonly stage: 'cgroup' | 'exec';
  readonly errno: string | null;
}

export interface Launched {
  /** null, as is `pid`, if not even a process could be created; `started` says why. */
  readonly child: ChildProcess | null;
  readonly pid: number | null;
  /** Resolves to null once the command waits for its release, else to why it never will. Never rejects. */
  readonly ready: Promise<LaunchFailure | null>;
  /** Resolves to null once the command's image runs, else to why it does not. Never rejects. */
  readonly started: Promise<LaunchFailure | null>;
  /** Never settles if `pid` is null. */
  readonly exited: Promise<Exit>;
  /** Lets a held command run. */
  release(): void;
  /** Ends the held launcher, which exits with 125 and never runs the command. */
  abandon(): void;
}

/** Throws `ERR_SPAWN_FAILED`, starting nothing, if no launcher here can start the command exactly as asked. */
export function launch(options: LaunchOptions): Launched {
  const { command, args, procsFd, held = false, launcher = bestLauncher() } = options;
  // Node refuses this before it creates any process; execvp would report ENOENT.
  if (command === '') return notStarted('ENOENT');
  if (procsFd === null && !held) return start(options, command, args, null);
  const env = options.spawn?.env ?? process.env;
  if (launcher.kind === 'sh') {
    const { cwd } = options.spawn ?? {};
    const found = lookUpCommand(command, env.PATH, directoryOf(cwd));
    // Node's own spawn reports a missing command without running anything.
    if (found !== 'found') return start(options, command, args, null);
  }
  const stdio = wholeStdio(options.spawn?.stdio);
  const control = stdio.length;
  const procs = procsFd === null ? null : control + 1;
  stdio.push('pipe');
  if (procsFd !== null) stdio.push(procsFd);
  const by = launcherStart(launcher, { command, args, env, control, held, procs });
  return start(options, by.file, by.args, { stdio, control, env: by.env, first: by.first });
}

/** For the lookup of a command: a deleted directory has no path any more, but can still be used. */
function directoryOf(cwd: string | URL | null | undefined): string {
  if (cwd != null) return typeof cwd === 'string' ? cwd : fileURLToPath(cwd);
  try {
    return process.cwd();
  } catch {
    return '/proc/self/cwd';
  }
}

/** All descriptors, and the one that is our line to the launcher. */
interface Line {
  readonly stdio: StdioOptions;
  readonly control: number;
  readonly env: NodeJS.ProcessEnv;
  readonly first: string;
}

/** Fills `stdio` up to at least three pipes, as Node does. */
function wholeStdio(stdio?: StdioOptions | null): Exclude<StdioOptions, string> {
  const given = stdio ?? 'pipe';
  if (typeof given === 'string') return [given, given, given];
  const whole = [...given];
  while (whole.length < 3) whole.push('pipe');
  return whole;
}

/** How many descriptors Node's spawn opens here: two per pipe, and two by which the child reports a failed exec. */
function descriptorsFor(stdio: StdioOptions | undefined): number {
  const pipes = wholeStdio(stdio).filter((each) => {
    return each == null || each === 'pipe' || each === 'overlapped' || each === 'ipc';
  });
  return 2 * (pipes.length + 1);
}

function start(
  options: LaunchOptions,
  file: string,
  args: readonly string[],
  line: Line | null,
): Launched {
  // Node leaks the pipes that it has created if no descriptor is left for the next.
  const short = whyNotOpen(descriptorsFor(line?.stdio ?? options.spawn?.stdio));
  if (short !== null) return notStarted(short);
  let child: ChildProcess;
  try {
    const ours = line === null ? {} : { stdio: line.stdio, env: line.env };
    child = spawn(file, args, { ...options.spawn, ...ours });
  } catch (cause) {
    const errno = errnoOf(cause);
    // Node's refusal of an argument has no errno.
    if (errno.startsWith('ERR_')) throw refusedByNode(cause);
    // Some errnos (E2BIG, EPERM) are thrown, the others arrive as an event.
    return notStarted(errno);
  }
  const exited = exitOf(child).then(({ code, signal }) => ({ code, signal }));
  const spawned = new Promise<LaunchFailure | null>((resolve) => {
    child.on('error', (cause) => resolve({ stage: 'exec', errno: errnoOf(cause) }));
    child.once('spawn', () => resolve(null));
  });
  // If no process was created, Node has no stdio, whatever its types say.
  const socket = line === null || child.pid === undefined ? null : child.stdio[line.control];
  if (line !== null && line.first !== '' && socket instanceof Duplex) socket.write(line.first);
  let released = options.held !== true;
  const report = socket instanceof Duplex ? readReport(socket, () => released) : NOTHING_TO_REPORT;
  const after = (told: Promise<LaunchFailure | null>) => spawned.then((failure) => failure ?? told);
  const [ready, started] = [after(report.ready), after(report.ended)];
  // Unread data would make the kernel reset the line, and the report would be lost.
  const isHeld = options.held === true && socket instanceof Duplex;
  const release = (): void => {
    released = true;
    if (isHeld) socket.write('\n');
  };
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

const KILLED: LaunchFailure = { stage: 'exec', errno: null };

/** What a launcher writes before the exec closes its end. */
interface Report {
  readonly ready: Promise<LaunchFailure | null>;
  readonly ended: Promise<LaunchFailure | null>;
}

const NOTHING_TO_REPORT: Report = { ready: Promise.resolve(null), ended: Promise.resolve(null) };

function readReport(socket: Duplex, isReleased: () => boolean): Report {
  let text = '';
  let isReady = (): void => {};
  const waits = new Promise<null>((resolve) => {
    isReady = () => resolve(null);
  });
  // A broken line carries no more information than a closed one.
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += String(chunk);
    if (text.startsWith('ready\n')) isReady();
  });
  const ended = new Promise<LaunchFailure | null>((resolve) => {
    // Closed without a report before its release: killed, or abandoned.
    const silent = () => (isReleased() ? null : KILLED);
    socket.once('close', () => resolve(failureIn(text) ?? silent()));
  });
  socket.once('end', () => socket.destroy());
  return { ready: Promise.race([waits, ended]), ended };
}

function failureIn(text: string): LaunchFailure | null {
  const [, stage, errno] = /^(cgroup|exec) (\d+)$/m.exec(text) ?? [];
  if (stage !== 'cgroup' && stage !== 'exec') return null;
  return { stage, errno: Number(errno) > 0 ? errnoName(Number(errno)) : null };
}

function never(): Promise<never> {
  return new Promise(() => {});
}
