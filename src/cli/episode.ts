/** One measured command: launched, sampled, and at its end killed, reaped, counted. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BudgetTracker } from '../budget/index.js';
import type { TelemetryCollector, TelemetryHandle, Tripwire } from '../collector/index.js';
import type { ExhaustAction } from '../engine/engine.js';
import type { ErrorCode } from '../error/index.js';
import type { ProcessControl } from '../host/index.js';
import { FrameReader } from '../reader/index.js';
import { type Exit, killCgroup, killDescendants, type Launched, launch } from '../scope/index.js';
import { Enforcement } from './enforcement.js';
import { Measurement } from './measurement.js';
import type { OutputFile } from './output-file.js';
import { RunRecording } from './recording.js';
import type { SignalForwarder } from './signals.js';
import type { Placement } from './tier.js';

export interface EpisodeOptions {
  readonly id: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly placement: Placement;
  readonly collector: TelemetryCollector;
  readonly control: ProcessControl | null;
  /** This process is the subreaper of what it starts. */
  readonly reaper: boolean;
  readonly signals: SignalForwarder;
  readonly record: OutputFile | null;
  readonly budget: BudgetTracker | null;
  readonly tripwires: readonly Tripwire[];
  readonly onExhausted: ExhaustAction;
}

export interface EpisodeExit extends Exit {
  readonly wallNs: bigint;
}

const DRAIN_INTERVAL_MS = 200;
/** Killed processes are zombies within ms; what is no member and lives on is not waited for. */
const REAP_TIMEOUT_MS = 200;

/** Expected below a full cgroup, and told by the sources already. */
const UNREMARKABLE: readonly ErrorCode[] = ['ERR_CONTROLLER_NOT_ENABLED', 'ERR_PROC_GONE'];

export class Episode {
  readonly launched: Launched;
  readonly measurement: Measurement = new Measurement();
  /** What went wrong with the measuring, each once. */
  readonly warnings: Set<string> = new Set();
  /** CLOCK_MONOTONIC, ns. */
  readonly startedNs: bigint = process.hrtime.bigint();
  readonly enforcement: Enforcement;
  readonly #options: EpisodeOptions;
  readonly #onChildSignal: () => void;
  #handle: TelemetryHandle | null = null;
  #reader: FrameReader<bigint> | null = null;
  #drainTimer: NodeJS.Timeout | null = null;
  #running: boolean;

  /**
   * Launches the command and starts its session before the event loop turns, so that even a command that has
   * ended already is still there as a zombie. Throws what the collector throws; the command is killed then.
   */
  constructor(options: EpisodeOptions) {
    this.#options = options;
    const { id, placement, control, signals } = options;
    const cgroupPath = placement.scope?.cgroupPath ?? null;
    this.enforcement = new Enforcement(id, cgroupPath, this.startedNs);
    this.launched = launch({
      command: options.command,
      args: options.args,
      procsPath: cgroupPath === null ? null : `${cgroupPath}/cgroup.procs`,
    });
    const { child, pid } = this.launched;
    this.#running = pid !== null;
    // Node waits for the command itself: it must not be reaped before its time.
    this.#onChildSignal = () => control?.reapAdopted(this.#running ? (pid ?? 0) : 0);
    if (child === null || pid === null) return;
    process.on('SIGCHLD', this.#onChildSignal);
    child.once('exit', () => {
      this.#running = false;
      signals.end();
    });
    try {
      this.#start(pid);
    } catch (cause) {
      child.kill('SIGKILL');
      throw cause;
    }
    signals.forwardTo(child, (signal) => this.enforcement.takes(signal));
  }

  #start(pid: number): void {
    const { collector, id, placement, reaper, record, budget, tripwires } = this.#options;
    const handle = collector.start(id, pid, {
      source: placement.source,
      reaper,
      cgroupPath: placement.scope?.cgroupPath,
      budget: budget ?? undefined,
      tripwires,
      onExhausted: this.#options.onExhausted,
      recorder: record === null ? undefined : new RunRecording(record, this.launched.started),
    });
    this.#handle = handle;
    this.#reader = new FrameReader(handle.share(), { bigint: true });
    this.enforcement.watch(handle);
    handle.on('warning', (error) => {
      if (!UNREMARKABLE.includes(error.code)) this.warnings.add(error.message);
    });
  }

  /** Begins to take the frames out of the ring: only a command that runs has any worth keeping. */
  collectFrames(): void {
    this.#drainTimer = setInterval(() => this.#drain(), DRAIN_INTERVAL_MS);
    this.#drainTimer.unref();
  }

  #drain(): void {
    if (this.#reader === null) return;
    const { frames, missed } = this.#reader.read();
    for (const frame of frames) this.measurement.add(frame);
    this.measurement.missed += missed;
  }

  /** The command's exit status, and how long it ran. */
  async exit(): Promise<EpisodeExit> {
    const exit = await this.launched.exited;
    return { ...exit, wallNs: process.hrtime.bigint() - this.startedNs };
  }

  /** Kills what the command left behind, reaps it, and takes the terminal frame. Never throws. */
  async end(): Promise<void> {
    const { scope } = this.#options.placement;
    await this.#attempt(async () => {
      if (scope === null) await killDescendants(process.pid);
      else await killCgroup(scope.cgroupPath);
    });
    await this.#reap();
    await this.#attempt(async () => void (await this.#handle?.stop()));
    if (this.#drainTimer !== null) {
      clearInterval(this.#drainTimer);
      await this.#attempt(async () => this.#drain());
    }
    process.off('SIGCHLD', this.#onChildSignal);
  }

  async #reap(): Promise<void> {
    const { control, reaper } = this.#options;
    if (control === null || !reaper) return;
    const deadline = performance.now() + REAP_TIMEOUT_MS;
    control.reapAdopted(this.#running ? (this.launched.pid ?? 0) : 0);
    while (control.hasChildren() && performance.now() < deadline) {
      await sleep(1);
      control.reapAdopted(this.#running ? (this.launched.pid ?? 0) : 0);
    }
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (cause) {
      this.warnings.add(cause instanceof Error ? cause.message : String(cause));
    }
  }
}
