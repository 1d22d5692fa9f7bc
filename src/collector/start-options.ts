import { BudgetTracker } from '../budget/index.js';
import { TIERS, type Tier } from '../engine/engine.js';
import {
  assertBoolean,
  assertObject,
  assertOneOf,
  assertPath,
  invalidConfig,
} from '../error/index.js';
import { assertTripwires, type Tripwire } from './tripwire.js';

export interface StartOptions {
  /**
   * Charged with the cpu and io of every frame; the session stops when a limit is reached. A sampled session is charged
   * on the event loop: a loop that is blocked charges late, and misses nothing.
   */
  readonly budget?: BudgetTracker | undefined;
  /** What an exhausted budget does: it ends the sampling (the only action there is yet). */
  readonly onExhausted?: 'stop' | undefined;
  /** `'zero'` (default): all that the episode consumed since its start is charged; `'now'`: from the first frame on. */
  readonly baseline?: 'zero' | 'now' | undefined;
  /** The episode's cgroup, absolute. Default: its own scope below `cgroupRoot` if that exists, else `/proc`. */
  readonly cgroupPath?: string | undefined;
  /** Nothing is sampled by itself: `collect()` and `nextFrame()` take the frames. */
  readonly manual?: boolean | undefined;
  /** Forces a tier: the full cgroup, the bare leaf (cpu of the cgroup, the rest of its members' `/proc`), the process tree. */
  readonly source?: Tier | undefined;
  /**
   * The calling process is the subreaper of `pid`'s tree and waits for its orphans: what it reaped since the
   * start counts, so that the end of the tree is exact. `episcope run` is such a caller.
   */
  readonly reaper?: boolean | undefined;
  /** What the sampler itself looks out for, at most 16. Not of a manual session. */
  readonly tripwires?: readonly Tripwire[] | undefined;
  /** Stops the session when aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Everything about the options that can be said before anything is opened. */
export function assertStartOptions(options: StartOptions): void {
  assertObject('options', options);
  assertOneOf('source', options.source, TIERS);
  assertOneOf('baseline', options.baseline, ['zero', 'now']);
  assertOneOf('onExhausted', options.onExhausted, ['stop']);
  assertBoolean('manual', options.manual);
  assertBoolean('reaper', options.reaper);
  if (options.budget !== undefined) assertBudget(options.budget);
  assertPath('cgroupPath', options.cgroupPath);
  if (options.tripwires !== undefined) {
    assertTripwires(options.tripwires);
    if (options.manual === true) {
      throw invalidConfig('tripwires need a sampler: a manual session has none');
    }
  }
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw invalidConfig('signal must be an AbortSignal');
  }
}

export function assertBudget(budget: unknown): asserts budget is BudgetTracker {
  if (!(budget instanceof BudgetTracker)) throw invalidConfig('budget must be a BudgetTracker');
}
