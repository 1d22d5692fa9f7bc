/** Starting a command where we are, and letting it run when somebody is ready for it. */
import type { ChildProcess } from 'node:child_process';
import { DEFAULT_START_MS } from './episode-scope.js';
import { Launching } from './launching.js';
import { assertHeldArguments, type SpawnHeldOptions } from './spawn-arguments.js';

/**
 * `spawnInScope` without a scope, for hosts where none can be made: starts `command` in the cgroup of this process, and
 * holds it until `beforeExec` has ended. Resolves when it runs; `exit` and all output come afterwards.
 *
 * Throws `ERR_INVALID_CONFIG`, `ERR_OUT_OF_RANGE`, and `ERR_SPAWN_FAILED` as `spawnInScope` does; the reason of an
 * aborted `signal`. Nothing is left then.
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
