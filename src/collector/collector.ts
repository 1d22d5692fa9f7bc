import { addAbortListener } from 'node:events';
import type { BudgetTracker } from '../budget/index.js';
import type { CgroupSpec, Engine, EpisodeSpec } from '../engine/engine.js';
import { cgroupDirectory } from '../engine/failure-error.js';
import { type EngineChoice, selectEngine } from '../engine/select.js';
import { assertEpisodeId, assertPid } from '../episode/index.js';
import {
  assertBoolean,
  assertOptions,
  assertPath,
  CgroupError,
  invalidConfig,
  type OptionKeys,
  TelemetryError,
} from '../error/index.js';
import type { O11yFlags, TelemetryFrame } from '../frame/index.js';
import { episodeCgroup } from '../host/episode-cgroup.js';
import { isCgroupV2Available } from '../host/index.js';
import { assertProcRoot } from '../kernel/procfs.js';
import { TelemetryPolicy } from '../policy/index.js';
import { ownPolicy } from '../policy/policy.js';
import { dispose } from '../realm/index.js';
import { reportRun } from '../reviewer/run-report.js';
import type { Tier } from '../schema/enumerations.js';
import { manualSessionOf, sessionOf, TelemetryHandle, userFlags } from './handle.js';
import { ManualSession } from './manual-session.js';
import { assertNotOurselves } from './own-process.js';
import { SampledSession } from './sampled-session.js';
import type { Session, SessionOptions } from './session.js';
import { assertStartOptions, type StartOptions, userBudget } from './start-options.js';

export interface TelemetryCollectorOptions {
  /** `'auto'` (default): the native engine if the addon loads, else the JS engine. */
  readonly engine?: EngineChoice | undefined;
  /** The directory to search for the scopes of episodes. Default: the cgroup2 mount of `/proc/self/mountinfo`. */
  readonly cgroupRoot?: string | undefined;
  /** Default `/proc`. */
  readonly procRoot?: string | undefined;
  /** Requires a cgroup2 file system (default); `false` for fixtures and recorded trees. */
  readonly requireCgroupfs?: boolean | undefined;
}

const COLLECTOR_OPTIONS: OptionKeys<TelemetryCollectorOptions> = {
  engine: true,
  cgroupRoot: true,
  procRoot: true,
  requireCgroupfs: true,
};

/** The episodes that are running: an id has at most one running session. */
export interface RunningIds {
  /** Returns false if the episode is already running. */
  claimEpisode(episodeId: string): boolean;
  releaseEpisode(episodeId: string): void;
}

/**
 * Starts sessions of episodes; one policy applies to all new sessions.
 *
 * Sessions are sampled off the event loop: on the native engine by one thread for the whole process, however many
 * collectors and workers use it; on the JS engine by one worker for each thread that uses it.
 *
 * Throws `ERR_ENGINE_UNAVAILABLE`, `ERR_UNSUPPORTED_PLATFORM`, `ERR_INVALID_CONFIG`; and `ERR_CGROUP_PATH`,
 * `ERR_CGROUP_NOT_FOUND`, `ERR_NOT_CGROUP2` if `cgroupRoot` is given but is not the directory of a cgroup.
 */
export class TelemetryCollector {
  readonly #engine: Engine;
  /** null: the default of `episodeCgroup`. */
  readonly #cgroupRoot: string | null;
  readonly #procRoot: string;
  readonly #requireCgroupfs: boolean;
  readonly #running: RunningIds;
  #policy: TelemetryPolicy;

  constructor(policy?: TelemetryPolicy, options?: TelemetryCollectorOptions);
  /** @internal */
  constructor(
    policy: TelemetryPolicy | undefined,
    options: TelemetryCollectorOptions,
    running: RunningIds | undefined,
  );
  constructor(
    policy: TelemetryPolicy = TelemetryPolicy.builder().build(),
    options: TelemetryCollectorOptions = {},
    running: RunningIds = new OwnIds(),
  ) {
    this.#running = running;
    this.#policy = userPolicy(policy);
    assertOptions('options', options, COLLECTOR_OPTIONS);
    assertBoolean('requireCgroupfs', options.requireCgroupfs);
    assertPath('cgroupRoot', options.cgroupRoot);
    this.#engine = selectEngine(options.engine);
    this.#procRoot = assertProcRoot(options.procRoot ?? '/proc');
    this.#requireCgroupfs = options.requireCgroupfs ?? true;
    if (options.cgroupRoot === undefined) {
      this.#cgroupRoot = null;
    } else {
      this.#cgroupRoot = options.cgroupRoot;
      this.#engine
        .openCgroup({
          root: options.cgroupRoot,
          path: '',
          requireCgroupfs: this.#requireCgroupfs,
        })
        .close();
    }
  }

  /** The policy of new sessions. */
  get policy(): TelemetryPolicy {
    return this.#policy;
  }

  /** Sets the policy of new sessions; running ones keep theirs. */
  applyPolicy(policy: TelemetryPolicy): void {
    this.#policy = userPolicy(policy);
  }

  /**
   * Starts a session. Its `initial` frame is in the ring when this returns; from then on the engine's sampler takes
   * one every `samplePeriodMs`, counted from the start, however busy the event loop is. With `manual` no frame is
   * taken automatically.
   *
   * Throws, before anything is opened, `ERR_INVALID_EPISODE_ID`, `ERR_INVALID_PID`, `ERR_INVALID_CONFIG`,
   * `ERR_OUT_OF_RANGE` (of a tripwire or a stall), `ERR_REVIEWER_INVALID_EVENT`, `ERR_ALREADY_STARTED` (this collector,
   * or if it is shared any shared collector, has a running session of that id); on opening, `ERR_INVALID_PID` (the id
   * of a thread), `ERR_PROC_GONE`, `ERR_PROC_READ`, `ERR_CGROUP_NOT_FOUND`, `ERR_CGROUP_PATH`, `ERR_NOT_CGROUP2`,
   * `ERR_CGROUP_READ`; and `ERR_ENGINE_UNAVAILABLE` if the engine's sampler cannot be started.
   */
  start(episodeId: string, pid: number, options?: StartOptions): TelemetryHandle;
  /**
   * @internal `reaper`: the calling process is the subreaper of `pid`'s tree and waits for its orphans. The processes
   * it has reaped since the start are counted, so that the final totals of the tree are exact.
   */
  start(episodeId: string, pid: number, options: StartOptions, reaper: boolean): TelemetryHandle;
  start(
    episodeId: string,
    pid: number,
    options: StartOptions = {},
    reaper = false,
  ): TelemetryHandle {
    assertEpisodeId(episodeId);
    assertPid(pid);
    assertStartOptions(options, pid);
    options.signal?.throwIfAborted();
    if (!this.#running.claimEpisode(episodeId)) {
      throw new TelemetryError(
        'ERR_ALREADY_STARTED',
        `episode ${episodeId} already has a running session; stop() it first`,
      );
    }
    try {
      return this.#start(episodeId, pid, options, reaper);
    } catch (error) {
      this.#running.releaseEpisode(episodeId);
      throw error;
    }
  }

  #start(episodeId: string, pid: number, options: StartOptions, reaper: boolean): TelemetryHandle {
    const { signal } = options;
    const tier = options.tier ?? 'auto';
    const handle = new TelemetryHandle(episodeId, pid, (self) => {
      const open = (cgroup: CgroupSpec | null): Session => {
        const onExhausted = options.onExhausted ?? 'stop';
        if (onExhausted !== 'stop') {
          assertNotOurselves(pid, cgroup === null ? null : cgroupDirectory(cgroup));
        }
        const session = {
          engine: this.#engine,
          policy: this.#policy,
          budget: options.budget === undefined ? null : userBudget(options.budget),
          baseline: options.baseline ?? 'zero',
          onExhausted,
          recorder: options.recorder ?? null,
          spec: this.#spec(episodeId, pid, tier, cgroup, reaper),
          emit: emitOf(self),
          onStopped: () => this.#running.releaseEpisode(episodeId),
        };
        if (options.manual === true) return new ManualSession(session);
        const tripwires = (options.tripwires ?? []).map((each) => ({ ...each }));
        return new SampledSession({ ...session, tripwires });
      };
      return this.#openIn(episodeId, tier, options.cgroupPath, open);
    });
    if (options.reviewer !== undefined)
      reportRun(handle, options.reviewer, options.manual === true);
    if (signal !== undefined) {
      const listening = addAbortListener(signal, () => void sessionOf(handle).finish('stop'));
      handle.once('stopped', () => listening[dispose]());
    }
    return handle;
  }

  /**
   * Takes one frame of a manual session now, synchronously.
   *
   * Throws `ERR_INVALID_CONFIG` on a sampled session, `ERR_STOPPED` after its end. A failed read of a kernel file
   * never throws: a part that cannot be read is null in the frame.
   */
  collect(handle: TelemetryHandle, flags?: O11yFlags): TelemetryFrame {
    return manualSessionOf(handle, 'collect').collect(userFlags(flags));
  }

  /**
   * Like `collect`, and charges the frame's cpu and io to `budget`. Returns null once a limit is reached: the frame is
   * then in the ring and its consumption in the budget.
   */
  collectWithBudget(
    handle: TelemetryHandle,
    budget: BudgetTracker,
    flags?: O11yFlags,
  ): TelemetryFrame | null {
    const session = manualSessionOf(handle, 'collectWithBudget');
    return session.collectWithBudget(userBudget(budget), userFlags(flags));
  }

  // Opens the given cgroup, else the episode's own scope if it exists; never the cgroup that happens to hold the pid.
  #openIn(
    episodeId: string,
    tier: Tier,
    cgroupPath: string | undefined,
    open: (cgroup: CgroupSpec | null) => Session,
  ): Session {
    const requireCgroupfs = this.#requireCgroupfs;
    if (tier === 'proc') return open(null);
    if (cgroupPath !== undefined) return open({ root: cgroupPath, path: '', requireCgroupfs });
    if (this.#cgroupRoot === null && tier === 'auto' && !isCgroupV2Available()) return open(null);
    const own = episodeCgroup(episodeId, this.#cgroupRoot ?? undefined);
    try {
      return open({ ...own, requireCgroupfs });
    } catch (error) {
      const absent = error instanceof CgroupError && error.code === 'ERR_CGROUP_NOT_FOUND';
      if (!absent || tier !== 'auto') throw error;
      return open(null);
    }
  }

  #spec(
    episodeId: string,
    pid: number,
    tier: Tier,
    cgroup: CgroupSpec | null,
    reaper: boolean,
  ): Omit<EpisodeSpec, 'ring'> {
    return {
      episodeId,
      pid,
      tier,
      cgroup,
      procRoot: this.#procRoot,
      reaperPid: reaper ? process.pid : 0,
      memoryStatPeriodNs: BigInt(this.#policy.memoryStatPeriodMs) * 1_000_000n,
    };
  }
}

function userPolicy(policy: unknown): TelemetryPolicy {
  const own = ownPolicy(policy);
  if (own !== null) return own;
  throw invalidConfig('the policy must be a TelemetryPolicy: TelemetryPolicy.builder()….build()');
}

class OwnIds implements RunningIds {
  readonly #ids = new Set<string>();

  claimEpisode(episodeId: string): boolean {
    if (this.#ids.has(episodeId)) return false;
    this.#ids.add(episodeId);
    return true;
  }

  releaseEpisode(episodeId: string): void {
    this.#ids.delete(episodeId);
  }
}

function emitOf(handle: TelemetryHandle): SessionOptions['emit'] {
  return (event, ...args) => {
    // The types of EventEmitter cannot express an event name that is itself generic.
    handle.emit(event, ...(args as never));
  };
}
