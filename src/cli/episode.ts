/** Measures one command: samples it, and at its end kills, reaps and counts what is left. */

import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BudgetTracker } from '../budget/index.js';
import type {
  StartOptions,
  TelemetryCollector,
  TelemetryHandle,
  Tripwire,
} from '../collector/index.js';
import { type ErrorCode, TelemetryError } from '../error/index.js';
import { type ChildExit, type Exit, exitOf } from '../kernel/child-exit.js';
import type { ProcessControl } from '../kernel/process-control.js';
import { FrameReader } from '../readers/frame-reader.js';
import { messageOf } from '../realm/index.js';
import type { ExhaustAction } from '../schema/enumerations.js';
import { killDescendants, type Scope } from '../scope/index.js';
import { Enforcement } from './enforcement.js';
import { Measurement } from './measurement.js';
import type { OutputFile } from './output-file.js';
import { RunRecording } from './recording.js';
import type { SignalForwarder, SignalTaker } from './signals.js';
import type { Placement } from './tier.js';
import { Refusal } from './usage.js';

export interface EpisodeOptions {
  readonly id: string;
  readonly collector: TelemetryCollector;
  readonly control: ProcessControl | null;
  /** This process is the subreaper of the processes it starts. */
  readonly reaper: boolean;
  readonly signals: SignalForwarder;
  readonly record: OutputFile | null;
  readonly budget: BudgetTracker | null;
  readonly onExhausted: ExhaustAction;
  /** Called first with each signal while the command starts. */
  readonly takesAtStart: SignalTaker;
}

export interface EpisodeExit extends Exit {
  readonly wallNs: bigint;
}

const DRAIN_INTERVAL_MS = 200;
/** Killed processes are zombies within ms; processes outside the episode that live on are not waited for. */
const REAP_TIMEOUT_MS = 200;
const END_TIMEOUT_MS = 200;

/** Expected below a full cgroup, where the summary shows them as sources or as degraded. */
const UNREMARKABLE: readonly ErrorCode[] = [
  'ERR_CONTROLLER_NOT_ENABLED',
  'ERR_PROC_GONE',
  'ERR_PROC_NOT_AVAILABLE',
];

export class Episode {
  readonly measurement: Measurement = new Measurement();
  /** Warnings about the measurement, each once. */
  readonly warnings: Set<string> = new Set();
  readonly enforcement: Enforcement;
  /** CLOCK_MONOTONIC, ns. */
  readonly startedNs: bigint = process.hrtime.bigint();
  readonly #options: EpisodeOptions;
  readonly #placement: Placement;
  readonly #child: ChildProcess;
  readonly #exited: Promise<ChildExit>;
  readonly #onChildSignal: () => void;
  #started: (runs: boolean) => void = () => {};
  #handle: TelemetryHandle | null = null;
  #reader: FrameReader<bigint> | null = null;
  #drainTimer: NodeJS.Timeout | null = null;
  #running = true;

  /**
   * Starts the session of a held command, which is released in this turn of the event loop: from now on it receives the
   * signals. Throws `Refusal` if it cannot be measured.
   */
  constructor(
    options: EpisodeOptions,
    child: ChildProcess,
    placement: Placement,
    tripwires: readonly Tripwire[],
  ) {
    this.#options = options;
    this.#child = child;
    this.#placement = placement;
    const { id, control, signals } = options;
    this.enforcement = new Enforcement(id, placement.scope, this.startedNs);
    // Node itself waits for the command, which must not be reaped here.
    this.#onChildSignal = () => control?.reapAdopted(this.#running ? (child.pid ?? 0) : 0);
    process.on('SIGCHLD', this.#onChildSignal);
    child.once('exit', () => {
      this.#running = false;
      signals.end();
    });
    this.#exited = exitOf(child);
    this.#start(child.pid ?? 0, tripwires);
    signals.forwardTo(
      child,
      (signal) => options.takesAtStart(signal) || this.enforcement.takes(signal),
    );
  }

  #start(pid: number, tripwires: readonly Tripwire[]): void {
    const { collector, id, reaper, record, budget, onExhausted } = this.#options;
    const { tier, scope } = this.#placement;
    const isLimited = budget !== null || tripwires.some(({ exhausts }) => exhausts === true);
    const started = new Promise<boolean>((resolve) => {
      this.#started = resolve;
    });
    try {
      // A systemd scope is read as soon as it is empty, before systemd removes it, not after all are reaped.
      const reapsTree = reaper && scope?.strategy !== 'systemd-transient';
      const options: StartOptions = {
        tier,
        cgroupPath: scope?.cgroupPath,
        budget: budget ?? undefined,
        tripwires,
        onExhausted: isLimited ? onExhausted : undefined,
        recorder: record === null ? undefined : new RunRecording(record, started),
      };
      this.#handle = collector.start(id, pid, options, reapsTree);
    } catch (cause) {
      process.off('SIGCHLD', this.#onChildSignal);
      if (!(cause instanceof TelemetryError)) throw cause;
      throw new Refusal(`the command cannot be measured, so it was not run: ${cause.message}`);
    }
    this.#reader = new FrameReader(this.#handle.share(), { bigint: true });
    this.enforcement.watch(this.#handle);
    this.#handle.on('warning', (error) => {
      if (!UNREMARKABLE.includes(error.code)) this.warnings.add(error.message);
    });
  }

  /** Called when the command has been executed, or never will be. */
  started(runs: boolean): void {
    this.#started(runs);
    if (!runs) return;
    this.#collectFrames();
  }

  /** Begins to take frames out of the ring; only those of a command that runs are kept. */
  #collectFrames(): void {
    this.#drainTimer = setInterval(() => this.#drain(), DRAIN_INTERVAL_MS);
    this.#drainTimer.unref();
  }

  #drain(): void {
    if (this.#reader === null) return;
    const { frames, missed } = this.#reader.read();
    for (const frame of frames) this.measurement.add(frame);
    this.measurement.missed += missed;
  }

  /** Resolves to how the command ended and how long it ran. */
  async exit(): Promise<EpisodeExit> {
    const { code, signal } = await this.#exited;
    return { code, signal, wallNs: process.hrtime.bigint() - this.startedNs };
  }

  /** Kills and reaps the processes that the command left behind, and takes the terminal frame. Never rejects. */
  async end(): Promise<void> {
    const { scope } = this.#placement;
    await this.#attempt(async () => {
      if (scope === null) await killDescendants(process.pid);
      else await scope.kill();
    });
    if (scope?.strategy === 'systemd-transient') await this.#untilEnded();
    await this.#reap();
    await this.#attempt(async () => void (await this.#handle?.stop()));
    if (this.#drainTimer !== null) {
      clearInterval(this.#drainTimer);
      await this.#attempt(async () => this.#drain());
    }
    this.measurement.deadlinesMissed = this.#handle?.snapshot().deadlinesMissed ?? 0;
    if (scope !== null) await this.#attempt(() => this.#settleByUnit(scope));
    await this.#settleByExit();
    process.off('SIGCHLD', this.#onChildSignal);
  }

  /** Adds what the kernel reports to the parent of a process, which does not depend on the last sample. */
  async #settleByExit(): Promise<void> {
    if (this.#running || this.enforcement.measuredNs !== null) return;
    const { peakBytes, dirtiedBytes } = await this.#exited;
    if (peakBytes !== null && this.#placement.tier !== 'cgroup') {
      this.measurement.addPeakOfProcess(peakBytes);
    }
    this.measurement.judgeWritten(dirtiedBytes);
  }

  /** systemd removes an empty scope within ms; the sampler notices the end at the same moment and reads at once. */
  async #untilEnded(): Promise<void> {
    const deadline = performance.now() + END_TIMEOUT_MS;
    while (this.#handle?.snapshot().stopped === false && performance.now() < deadline)
      await sleep(1);
  }

  /** If systemd removed the scope first, it reports the totals of its cgroup. */
  async #settleByUnit(scope: Scope): Promise<void> {
    if (scope.strategy !== 'systemd-transient' || this.enforcement.measuredNs !== null) return;
    const isLeaf = this.#placement.tier === 'leaf';
    const [cpuNs, io, memoryPeakBytes] = await Promise.all([
      scope.cpuUsageNs(),
      isLeaf ? null : scope.ioUsage(),
      isLeaf ? null : scope.memoryPeakBytes(),
    ]);
    this.measurement.settle({ cpuNs, io, memoryPeakBytes });
  }

  async #reap(): Promise<void> {
    const { control, reaper } = this.#options;
    if (control === null || !reaper) return;
    const deadline = performance.now() + REAP_TIMEOUT_MS;
    control.reapAdopted(this.#running ? (this.#child.pid ?? 0) : 0);
    while (control.hasChildren() && performance.now() < deadline) {
      await sleep(1);
      control.reapAdopted(this.#running ? (this.#child.pid ?? 0) : 0);
    }
  }

  async #attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (cause) {
      this.warnings.add(messageOf(cause));
    }
  }
}
