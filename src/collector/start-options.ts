import type { BudgetTracker } from '../budget/index.js';
import { ownBudget } from '../budget/tracker.js';
import {
  assertBoolean,
  assertOneOf,
  assertOptions,
  assertPath,
  assertSignal,
  invalidConfig,
  type OptionKeys,
} from '../error/index.js';
import { assertReviewerRun, type ReviewerRun } from '../reviewer/run-report.js';
import { EXHAUST_ACTIONS, type ExhaustAction, TIERS, type Tier } from '../schema/enumerations.js';
import type { FrameSink } from './frame-sink.js';
import { assertTripwires, type Tripwire } from './tripwire.js';

export interface StartOptions {
  /**
   * The sampler charges it with the cpu, the io and (if that is limited) the wall time of every frame, within one
   * period, whatever the event loop does. Charges from elsewhere count at the next frame. The session ends when a limit
   * is reached.
   */
  readonly budget?: BudgetTracker | undefined;
  /**
   * What the sampler does when a limit is reached: `'stop'` (default) ends the sampling and lets the workload go on;
   * `'freeze'` freezes its cgroup, until `thaw()` or its removal; `'kill'` kills the cgroup, or the process tree if it
   * has none. An action that fails causes a `warning`, and the next weaker action is taken. The terminal frame comes
   * after the action.
   */
  readonly onExhausted?: ExhaustAction | undefined;
  /** `'zero'` (default): all that the episode consumed since its start is charged; `'now'`: from the first frame on. */
  readonly baseline?: 'zero' | 'now' | undefined;
  /** The episode's cgroup, absolute. Default: its own scope below `cgroupRoot` if that exists, else `/proc`. */
  readonly cgroupPath?: string | undefined;
  /** No frame is taken automatically: `collect()` and `nextFrame()` take the frames. */
  readonly manual?: boolean | undefined;
  /** Forces a tier: the full cgroup, the bare leaf (cpu from the cgroup, the rest from `/proc`) or the process tree. */
  readonly tier?: Tier | undefined;
  /** Takes the frames that the policy's `promoteTriggers` promote: a `FrameRecorder`, or any other sink. */
  readonly recorder?: FrameSink | undefined;
  /** Writes the episode's notable moments to a reviewer log. */
  readonly reviewer?: ReviewerRun | undefined;
  /** Thresholds that the sampler itself checks, at most 16. Not for a manual session. */
  readonly tripwires?: readonly Tripwire[] | undefined;
  /** Stops the session when aborted. */
  readonly signal?: AbortSignal | undefined;
}

const START_OPTIONS: OptionKeys<StartOptions> = {
  budget: true,
  onExhausted: true,
  baseline: true,
  cgroupPath: true,
  manual: true,
  tier: true,
  recorder: true,
  reviewer: true,
  tripwires: true,
  signal: true,
};

/** Checks all of the options that can be checked before anything is opened. */
export function assertStartOptions(options: StartOptions, pid: number): void {
  assertOptions('options', options, START_OPTIONS);
  assertOneOf('tier', options.tier, TIERS);
  assertOneOf('baseline', options.baseline, ['zero', 'now']);
  assertOneOf('onExhausted', options.onExhausted, EXHAUST_ACTIONS);
  assertBoolean('manual', options.manual);
  if (options.budget !== undefined) userBudget(options.budget);
  if (options.recorder !== undefined) assertSink(options.recorder);
  if (options.reviewer !== undefined) {
    assertReviewerRun(options.reviewer, pid, options.manual === true);
  }
  assertPath('cgroupPath', options.cgroupPath);
  if (options.tripwires !== undefined) {
    assertTripwires(options.tripwires);
    if (options.manual === true) {
      throw invalidConfig('tripwires need a sampler: a manual session has none');
    }
  }
  assertUsed(options);
  assertSignal(options.signal);
}

/** `onExhausted` and `baseline` are rejected without a limit to which they apply. */
function assertUsed({ budget, tripwires = [], onExhausted, baseline, manual }: StartOptions): void {
  const hasLimit = budget !== undefined || tripwires.some(({ exhausts }) => exhausts === true);
  if (onExhausted !== undefined && !hasLimit) {
    throw invalidConfig('onExhausted needs a limit: a budget, or a tripwire with exhausts');
  }
  // A manual session may charge each frame to a budget.
  if (baseline !== undefined && budget === undefined && manual !== true) {
    throw invalidConfig('baseline needs a budget');
  }
}

export function userBudget(budget: unknown): BudgetTracker {
  const own = ownBudget(budget);
  if (own === null) throw invalidConfig('budget must be a BudgetTracker');
  return own;
}

function assertSink(sink: unknown): asserts sink is FrameSink {
  const isSink =
    typeof sink === 'object' &&
    sink !== null &&
    'write' in sink &&
    typeof sink.write === 'function';
  if (!isSink) throw invalidConfig('recorder must have a method write(entry): a FrameSink');
}
