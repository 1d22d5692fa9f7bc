/** Checks the arguments of `spawnInScope` and `spawnHeld` up front: Node checks them only once the scope exists. */
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import {
  assertObject,
  assertOptions,
  assertSignal,
  finiteNumber,
  invalidConfig,
  type OptionKeys,
} from '../error/index.js';
import { SCOPE_OPTIONS, type ScopeOptions } from './episode-scope.js';
import type { OsResourceLimits } from './limits.js';
import type { Scope } from './scope.js';

/**
 * Options of Node's `spawn` (except `shell`: pass `sh -c` yourself; `argv0`, which is the launcher's; and `signal`,
 * which is the scope's here), and of `createEpisodeScope`.
 */
export interface SpawnInScopeOptions
  extends Omit<
      SpawnOptions,
      'shell' | 'argv0' | 'signal' | 'windowsHide' | 'windowsVerbatimArguments'
    >,
    ScopeOptions {
  /** The episode's id: 1 to 128 of [A-Za-z0-9_-]. */
  readonly id: string;
  readonly limits?: OsResourceLimits | undefined;
  /**
   * Called when the process is inside and before the command's image runs, so that a session that is started here by
   * `collector.start(id, child.pid, { cgroupPath: scope.cgroupPath })` observes all of it. If it throws, the start
   * fails.
   */
  readonly beforeExec?: ((scope: Scope, child: ChildProcess) => void | Promise<void>) | undefined;
}

/** As `SpawnInScopeOptions`, without the options of the scope. */
export interface SpawnHeldOptions
  extends Omit<
    SpawnInScopeOptions,
    'id' | 'limits' | 'root' | 'slice' | 'strategy' | 'beforeExec'
  > {
  /**
   * Called when the process exists and before the command's image runs, so that a session that is started here by
   * `collector.start(id, child.pid)` observes all of it. If it throws, the start fails and the command never runs.
   */
  readonly beforeExec: (child: ChildProcess) => unknown;
}

/** The last two do nothing on Linux; they are accepted from callers that support several systems. */
const HELD_OPTIONS: OptionKeys<SpawnHeldOptions & SpawnOptions> = {
  timeoutMs: true,
  signal: true,
  beforeExec: true,
  cwd: true,
  env: true,
  stdio: true,
  detached: true,
  uid: true,
  gid: true,
  serialization: true,
  timeout: true,
  killSignal: true,
  shell: true,
  argv0: true,
  windowsHide: true,
  windowsVerbatimArguments: true,
};

const SPAWN_OPTIONS: OptionKeys<SpawnInScopeOptions & SpawnOptions> = {
  ...HELD_OPTIONS,
  ...SCOPE_OPTIONS,
  id: true,
  limits: true,
};

/** Throws `ERR_INVALID_CONFIG`. */
export function assertSpawnArguments(
  command: string,
  args: readonly string[],
  options: SpawnInScopeOptions,
): void {
  assertOf('spawnInScope', SPAWN_OPTIONS, command, args, options);
}

/** Throws `ERR_INVALID_CONFIG`, `ERR_OUT_OF_RANGE`. */
export function assertHeldArguments(
  command: string,
  args: readonly string[],
  options: SpawnHeldOptions,
): void {
  assertOf('spawnHeld', HELD_OPTIONS, command, args, options);
  const { timeoutMs, signal, beforeExec } = options;
  if (timeoutMs !== undefined) finiteNumber('timeoutMs', timeoutMs);
  assertSignal(signal);
  if (beforeExec === undefined) throw invalidConfig('beforeExec must be a function');
}

function assertOf<T extends SpawnOptions>(
  whose: string,
  keys: OptionKeys<T & SpawnOptions>,
  command: string,
  args: readonly string[],
  options: T,
): void {
  assertText('the command', command);
  if (!Array.isArray(args)) throw invalidConfig('the arguments must be an array of strings');
  for (const [at, arg] of args.entries()) assertText(`the argument ${at + 1}`, arg);
  assertOptions('options', options, keys);
  const { shell, argv0, cwd, env, stdio, beforeExec } = options as SpawnOptions & {
    beforeExec?: unknown;
  };
  if (shell) throw invalidConfig(`shell is not for ${whose}: run sh -c … as the command`);
  if (argv0 !== undefined)
    throw invalidConfig(`argv0 is not for ${whose}: it would be the launcher’s`);
  if (beforeExec !== undefined && typeof beforeExec !== 'function') {
    throw invalidConfig('beforeExec must be a function');
  }
  if (cwd !== undefined && cwd !== null && !isFileUrl(cwd)) assertText('cwd', cwd);
  if (env !== undefined && env !== null) assertEnvironment(env);
  // Node checks its entries.
  if (stdio !== undefined && stdio !== null && typeof stdio !== 'string' && !Array.isArray(stdio)) {
    throw invalidConfig('stdio must be a string or an array');
  }
}

function assertText(name: string, value: unknown): void {
  if (typeof value !== 'string') throw invalidConfig(`${name} must be a string`);
  if (value.includes('\0')) throw invalidConfig(`${name} must not hold a NUL`);
  // A lone surrogate has no UTF-8 form: the command would get another character.
  if (!value.isWellFormed()) throw invalidConfig(`${name} must be well-formed Unicode`);
}

function isFileUrl(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && 'protocol' in value && value.protocol === 'file:'
  );
}

/** As in Node, inherited names count, undefined values are omitted, and any other value becomes text. */
function assertEnvironment(env: NodeJS.ProcessEnv): void {
  assertObject('env', env);
  for (const name in env) {
    const value: unknown = env[name];
    const whose = `env[${JSON.stringify(name)}]`;
    if (value !== undefined) assertText(whose, asText(whose, value));
    // A reader would see another name with another value.
    if (name === '' || /[=\0]/.test(name)) {
      throw invalidConfig(`env has the name ${JSON.stringify(name)}, which no variable can have`);
    }
  }
}

/** A symbol and an object without `toString` cannot become text. */
function asText(whose: string, value: unknown): string {
  try {
    return `${value}`;
  } catch {
    throw invalidConfig(`${whose} must be a string`);
  }
}
