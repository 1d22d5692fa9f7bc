/** One start of one command: its launcher, the waits, and the undoing. */
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { atMost, type Wait, within } from '../async/within.js';
import { CgroupError, TelemetryError } from '../error/index.js';
import { type Launched, type LaunchFailure, launch } from './launch.js';
import type { Launcher } from './launcher.js';
import type { Scope } from './scope.js';
import { UNDO_WAIT_MS, undoing } from './spare-descriptors.js';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly spawn: SpawnOptions;
  readonly launcher?: Launcher | undefined;
}

export interface LaunchingWait extends Wait {
  /** What the deadline was computed from, for messages. */
  readonly timeoutMs: number;
}

export class Launching {
  readonly #command: Command;
  readonly #wait: LaunchingWait;
  #launched: Launched | null = null;
  /** The scope that the command is in, or will enter; null if it has none. */
  scope: Scope | null = null;

  constructor(command: Command, wait: LaunchingWait) {
    this.#command = command;
    this.#wait = wait;
  }

  /** Returns the result of `run`; if it fails, undoes everything first. */
  async orUndone<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (cause) {
      await atMost(UNDO_WAIT_MS, this.#undo());
      throw cause;
    }
  }

  /** `procsFd` as in `LaunchOptions`. */
  launch(procsFd: number | null, held: boolean): Launched {
    const { command, args, spawn, launcher } = this.#command;
    const launched = launch({ command, args, procsFd, held, spawn, launcher });
    this.#launched = launched;
    return launched;
  }

  /** Waits until the command is held. Returns its pid. */
  async untilReady(launched: Launched): Promise<number> {
    const failure = await this.#within(() => launched.ready, 'its launcher did not start');
    if (failure !== null || launched.pid === null) throw this.#failed(failure);
    return launched.pid;
  }

  /** Lets the command run, once `beforeExec` has ended. */
  async go(
    launched: Launched,
    beforeExec: ((child: ChildProcess) => unknown) | undefined,
  ): Promise<ChildProcess> {
    const { child } = launched;
    if (child === null) throw this.#failed(await launched.started);
    if (beforeExec !== undefined) {
      await this.#within(async () => beforeExec(child), 'beforeExec did not end');
    }
    const end = new UnheardEnd(child);
    launched.release();
    let failure: LaunchFailure | null;
    try {
      failure = await this.#within(() => launched.started, 'it did not run');
    } finally {
      // Also if this start is undone, because the undoing waits for `exit`.
      end.handOver();
    }
    if (failure !== null) throw this.#failed(failure);
    return child;
  }

  #within<T>(act: () => Promise<T>, what: string): Promise<T> {
    return within(this.#wait, act, () => this.#late(what));
  }

  #late(what: string): TelemetryError {
    const { command } = this.#command;
    const frozen = this.scope?.isFrozen() ? `: ${this.scope.cgroupPath} is frozen` : '';
    const message = `cannot run ${JSON.stringify(command)} (ETIMEDOUT): ${what} within ${this.#wait.timeoutMs} ms${frozen}`;
    return new TelemetryError('ERR_SPAWN_FAILED', message, { errno: 'ETIMEDOUT', file: command });
  }

  #failed(failure: LaunchFailure | null): TelemetryError {
    const { command } = this.#command;
    if (failure?.stage === 'cgroup' && this.scope !== null) {
      return notEntered(this.scope, failure.errno);
    }
    const starved = failure?.errno == null && this.scope?.hadOomKill() === true;
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

  /** A held command has not begun, so it may be killed. */
  async #undo(): Promise<void> {
    const launched = this.#launched;
    if (launched?.child != null) {
      launched.abandon();
      launched.child.kill('SIGKILL');
      await launched.exited;
    }
    const scope = this.scope;
    if (scope !== null) await undoing(() => scope.remove({ kill: true }));
  }
}

export function notEntered(scope: Scope, errno: string | null): CgroupError {
  const file = `${scope.cgroupPath}/cgroup.procs`;
  const because = errno === null ? '' : ` (${errno})`;
  return new CgroupError('ERR_CGROUP_WRITE', `${scope.cgroupPath} cannot be entered${because}`, {
    errno,
    file,
  });
}

/**
 * Keeps the end of a command that may end before its start has been reported: Node emits `exit` once and then discards
 * output that is not being read, so both are held back until the caller has the child.
 */
export class UnheardEnd {
  readonly #child: ChildProcess;
  readonly #unread: readonly Readable[];
  readonly #toFlush = new Set<Readable>();
  readonly #unheard: [string | symbol, ...unknown[]][] = [];

  /** From here on, the end of the child is held back. */
  constructor(child: ChildProcess) {
    this.#child = child;
    this.#unread = child.stdio.filter((stream) => stream instanceof Readable).filter(isUntouched);
    // Own properties shadow the class's methods that Node calls when the process has ended.
    child.emit = (event: string | symbol, ...args: unknown[]) => {
      if (event !== 'exit' && event !== 'close') return tell(child, event, args);
      this.#unheard.push([event, ...args]);
      return true;
    };
    for (const stream of this.#unread) {
      stream.resume = () => {
        this.#toFlush.add(stream);
        return stream;
      };
    }
  }

  /** A caller that gets the child in this turn receives all events and output; afterwards Node proceeds as usual. */
  handOver(): void {
    for (const stream of this.#unread) Reflect.deleteProperty(stream, 'resume');
    setImmediate(() => {
      Reflect.deleteProperty(this.#child, 'emit');
      for (const [event, ...args] of this.#unheard) tell(this.#child, event, args);
      for (const stream of this.#toFlush) stream.resume();
    });
  }
}

function isUntouched(stream: Readable): boolean {
  return stream.listenerCount('data') + stream.listenerCount('readable') === 0;
}

function tell(child: ChildProcess, event: string | symbol, args: readonly unknown[]): boolean {
  return EventEmitter.prototype.emit.call(child, event, ...args);
}
