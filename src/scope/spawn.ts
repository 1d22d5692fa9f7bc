/** Starts a command inside its own scope. */
import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { errnoName } from '../error/errno-name.js';
import {
  checkRequest,
  cleanNowAndThen,
  DEFAULT_START_MS,
  makeDirectScope,
  type ScopeRequest,
  trySystemd,
  whyNotSystemd,
} from './episode-scope.js';
import type { Launched } from './launch.js';
import type { Launcher } from './launcher.js';
import { Launching, notEntered } from './launching.js';
import type { Scope } from './scope.js';
import { keepingSpare } from './spare-descriptors.js';
import {
  assertHeldArguments,
  assertSpawnArguments,
  type SpawnHeldOptions,
  type SpawnInScopeOptions,
} from './spawn-arguments.js';

export interface ScopedProcess {
  readonly child: ChildProcess;
  readonly scope: Scope;
}

/** Options that only the package itself uses. */
export interface SpawnDetails {
  /** Controllers that the scope must have in addition to those that the limits need. */
  readonly needs?: readonly string[];
  readonly launcher?: Launcher | undefined;
}

/**
 * Starts `command` in a new scope: its image runs entirely inside, and the limits are set before it runs. Resolves when
 * it runs; `exit` and all output arrive afterwards, even if the command ends quickly. `child.pid` is the command's. The
 * requested entries of `child.stdio` are followed by one or two of the launcher's, closed by then.
 *
 * The caller must remove the scope: `scope.remove({ kill: true })`.
 *
 * Throws what `createEpisodeScope` throws, and `ERR_SPAWN_FAILED` if the command is missing or cannot be run, with
 * the errno (`ENOMEM`: its start takes more memory than the limit allows; `ETIMEDOUT`: it did not run within
 * `timeoutMs`, for example because its slice is frozen) and `file`, the command. A failure leaves nothing behind; a
 * process that hangs in the kernel even after SIGKILL is removed as soon as possible.
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
  const launching = new Launching({ command, args, spawn, launcher }, request);
  return keepingSpare(() =>
    launching.orUndone(async () => {
      await cleanNowAndThen(request);
      const whyNot = whyNotSystemd(request);
      const { launched, scope } =
        whyNot === null || strategy === 'systemd'
          ? await heldFirst(launching, request)
          : await scopeFirst(launching, request, whyNot, beforeExec !== undefined);
      const before = beforeExec && ((child: ChildProcess) => beforeExec(scope, child));
      return { child: await launching.go(launched, before), scope };
    }),
  );
}

interface Entered {
  readonly launched: Launched;
  readonly scope: Scope;
}

/** systemd creates no scope without a process, so the launcher waits outside. */
async function heldFirst(launching: Launching, request: ScopeRequest): Promise<Entered> {
  const launched = launching.launch(null, true);
  const pid = await launching.untilReady(launched);
  const made = await trySystemd(request, pid);
  const scope =
    typeof made === 'string' ? await makeDirectScope(request, { pid, whyNot: made }) : made;
  launching.scope = scope;
  return { launched, scope };
}

/** The launcher moves itself into the scope. */
async function scopeFirst(
  launching: Launching,
  request: ScopeRequest,
  whyNot: string,
  held: boolean,
): Promise<Entered> {
  const scope = await makeDirectScope(request, { whyNot });
  launching.scope = scope;
  const procsFd = scope.openProcs();
  if (procsFd < 0) throw notEntered(scope, errnoName(procsFd));
  let launched: Launched;
  try {
    launched = launching.launch(procsFd, held);
  } finally {
    closeSync(procsFd);
  }
  if (held) await launching.untilReady(launched);
  return { launched, scope };
}

/**
 * `spawnInScope` without a scope, for hosts where none can be created: starts `command` in the cgroup of this process,
 * and holds it until `beforeExec` has ended. Resolves when it runs; `exit` and all output arrive afterwards.
 *
 * Throws `ERR_INVALID_CONFIG`, `ERR_OUT_OF_RANGE`, and `ERR_SPAWN_FAILED` as `spawnInScope` does; the reason of an
 * aborted `signal`. A failure leaves nothing behind.
 */
export async function spawnHeld(
  command: string,
  args: readonly string[],
  options: SpawnHeldOptions,
): Promise<ChildProcess> {
  assertHeldArguments(command, args, options);
  const { timeoutMs = DEFAULT_START_MS, signal, beforeExec, ...spawn } = options;
  signal?.throwIfAborted();
  const deadline = performance.now() + timeoutMs;
  const launching = new Launching({ command, args, spawn }, { deadline, signal, timeoutMs });
  return launching.orUndone(async () => {
    const launched = launching.launch(null, true);
    await launching.untilReady(launched);
    return launching.go(launched, beforeExec);
  });
}
