/** Starting a command inside a scope of its own. */

import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { closeSync } from 'node:fs';
import { errnoName } from '../error/errno-name.js';
import { CgroupError, TelemetryError } from '../error/index.js';
import { atMost, within } from '../host/within.js';
import {
  checkRequest,
  cleanNowAndThen,
  makeDirectScope,
  type ScopeOptions,
  type ScopeRequest,
  trySystemd,
  whyNotSystemd,
} from './episode-scope.js';
import { type Launched, type LaunchFailure, launch } from './launch.js';
import type { Launcher } from './launcher.js';
import type { OsResourceLimits } from './limits.js';
import type { Scope } from './scope.js';
import { keepingSpare, UNDO_WAIT_MS, undoing } from './spare-descriptors.js';
import { assertSpawnArguments } from './spawn-arguments.js';
import { UnheardEnd } from './unheard-end.js';

/**
 * Options of Node's `spawn` (but `shell`: say `sh -c` yourself; `argv0`, which is the launcher's; and `signal`, which is
 * the scope's here), and of `createEpisodeScope`.
 */
export interface SpawnInScopeOptions
  extends Omit<
      SpawnOptions,
      'shell' | 'argv0' | 'signal' | 'windowsHide' | 'windowsVerbatimArguments'
    >,
    ScopeOptions {
  /** The episode's: 1 to 128 of [A-Za-z0-9_-]. */
  readonly id: string;
  readonly limits?: OsResourceLimits | undefined;
  /**
   * Called when the process is inside and before the command's image runs: what is started here sees all of it, as a
   * session does by `collector.start(id, child.pid, { cgroupPath: scope.cgroupPath })`. What it throws ends the start.
   */
  readonly beforeExec?: ((scope: Scope, child: ChildProcess) => void | Promise<void>) | undefined;
}

export interface ScopedProcess {
  readonly child: ChildProcess;
  readonly scope: Scope;
}

/** What only the package itself asks for. */
export interface SpawnDetails {
  /** Controllers that the scope must have whatever the limits need. */
  readonly needs?: readonly string[];
  readonly launcher?: Launcher | undefined;
}

/**
 * Starts `command` in a new scope: its image runs wholly inside, its limits are set before it does. Resolves when it
 * runs; `exit` and all output come afterwards, however quick it was. `child.pid` is the command's; behind
 * the entries of `child.stdio` that were asked for come one or two of the launcher's, closed by then.
 *
 * Removing the scope is the caller's: `scope.remove({ kill: true })`.
 *
 * Throws what `createEpisodeScope` does, and `ERR_SPAWN_FAILED` where the command is not there or cannot be run, with
 * the errno (`ENOMEM`: it takes more memory to start than the limit gives; `ETIMEDOUT`: it did not run within
 * `timeoutMs`, as where its slice is frozen) and `file`, the command; nothing is left then. What hangs in the kernel so
 * that not even a SIGKILL ends it is removed as soon as it can be.
 */
export function spawnInScope(
  command: string,
  args: readonly string[],
  options: SpawnInScopeOptions,
): Promise<ScopedProcess> {
  return spawnScoped(command, args, options, {});
}

/** @internal */
export async function spawnScoped(
  command: string,
  args: readonly string[],
  options: SpawnInScopeOptions,
  { needs, launcher }: SpawnDetails,
): Promise<ScopedProcess> {
  assertSpawnArguments(command, args, options);
  const { id, limits, root, slice, strategy, timeoutMs, signal, beforeExec, ...spawn } = options;
  const place = { root, slice, strategy, timeoutMs, signal };
  const request = { ...checkRequest(id, limits ?? {}, place), needs };
  const start = new Start(request, { command, args, spawn, launcher, beforeExec });
  return keepingSpare(async () => {
    try {
      return await start.run();
    } catch (cause) {
      await atMost(UNDO_WAIT_MS, start.undo());
      throw cause;
    }
  });
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly spawn: SpawnOptions;
  readonly launcher: Launcher | undefined;
  readonly beforeExec: SpawnInScopeOptions['beforeExec'];
}

class Start {
  readonly #request: ScopeRequest;
  readonly #command: Command;
  #launched: Launched | null = null;
  #scope: Scope | null = null;

  constructor(request: ScopeRequest, command: Command) {
    this.#request = request;
    this.#command = command;
  }

  async run(): Promise<ScopedProcess> {
    await cleanNowAndThen(this.#request);
    const whyNot = whyNotSystemd(this.#request);
    const held = whyNot === null || this.#request.strategy === 'systemd';
    return held ? this.#heldFirst() : this.#scopeFirst(whyNot);
  }

  /** systemd makes no scope without a process: what is to become the command waits outside. */
  async #heldFirst(): Promise<ScopedProcess> {
    const launched = this.#launch(null, true);
    const pid = await this.#untilReady(launched);
    const made = await trySystemd(this.#request, pid);
    this.#scope =
      typeof made === 'string' ? await makeDirectScope(this.#request, { pid, whyNot: made }) : made;
    return this.#go(launched, this.#scope);
  }

  /** What is to become the command moves itself. */
  async #scopeFirst(whyNot: string): Promise<ScopedProcess> {
    this.#scope = await makeDirectScope(this.#request, { whyNot });
    const held = this.#command.beforeExec !== undefined;
    const procsFd = this.#scope.openProcs();
    if (procsFd < 0) throw notEntered(this.#scope, errnoName(-procsFd));
    let launched: Launched;
    try {
      launched = this.#launch(procsFd, held);
    } finally {
      closeSync(procsFd);
    }
    if (held) await this.#untilReady(launched);
    return this.#go(launched, this.#scope);
  }

  async #go(launched: Launched, scope: Scope): Promise<ScopedProcess> {
    const { beforeExec } = this.#command;
    const { child } = launched;
    if (child === null) throw this.#failed(await launched.started);
    if (beforeExec !== undefined) {
      await this.#within(async () => beforeExec(scope, child), 'beforeExec did not end');
    }
    const end = new UnheardEnd(child);
    launched.release();
    let failure: LaunchFailure | null;
    try {
      failure = await this.#within(() => launched.started, 'it did not run');
    } finally {
      // Also for who undoes this start, and waits for its end.
      end.handOver();
    }
    if (failure !== null) throw this.#failed(failure);
    return { child, scope };
  }

  #within<T>(act: () => Promise<T>, what: string): Promise<T> {
    return within(this.#request, act, () => this.#late(what));
  }

  #late(what: string): TelemetryError {
    const { command } = this.#command;
    const frozen = this.#scope?.isFrozen() ? `: ${this.#scope.cgroupPath} is frozen` : '';
    const message = `cannot run ${JSON.stringify(command)} (ETIMEDOUT): ${what} within ${this.#request.timeoutMs} ms${frozen}`;
    return new TelemetryError('ERR_SPAWN_FAILED', message, { errno: 'ETIMEDOUT', file: command });
  }

  #launch(procsFd: number | null, held: boolean): Launched {
    const { command, args, spawn, launcher } = this.#command;
    const launched = launch({ command, args, procsFd, held, spawn, launcher });
    this.#launched = launched;
    return launched;
  }

  async #untilReady(launched: Launched): Promise<number> {
    const failure = await this.#within(() => launched.ready, 'its launcher did not start');
    if (failure !== null || launched.pid === null) throw this.#failed(failure);
    return launched.pid;
  }

  #failed(failure: LaunchFailure | null): TelemetryError {
    const { command } = this.#command;
    if (failure?.stage === 'cgroup' && this.#scope !== null) {
      return notEntered(this.#scope, failure.errno);
    }
    const starved = failure?.errno == null && this.#scope?.hadOomKill() === true;
    const errno = starved ? 'ENOMEM' : (failure?.errno ?? null);
    const killed = 'its launcher was killed';
    const why = starved ? `${killed} for want of memory: the limit is too low` : (errno ?? killed);
    return new TelemetryError(
      'ERR_SPAWN_FAILED',
      `cannot run ${JSON.stringify(command)} (${why})`,
      {
        errno,
        file: command,
      },
    );
  }

  /** What is held has not begun, so it may be killed. */
  async undo(): Promise<void> {
    const launched = this.#launched;
    if (launched?.child != null) {
      launched.abandon();
      launched.child.kill('SIGKILL');
      await launched.exited;
    }
    const scope = this.#scope;
    if (scope !== null) await undoing(() => scope.remove({ kill: true }));
  }
}

function notEntered(scope: Scope, errno: string | null): CgroupError {
  const file = `${scope.cgroupPath}/cgroup.procs`;
  const because = errno === null ? '' : ` (${errno})`;
  return new CgroupError('ERR_CGROUP_WRITE', `${scope.cgroupPath} cannot be entered${because}`, {
    errno,
    file,
  });
}
