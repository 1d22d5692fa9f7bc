/** `episcope run`: one command, measured. */
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import type { BudgetTracker } from '../budget/index.js';
import { TelemetryCollector } from '../collector/index.js';
import type { EngineName } from '../engine/engine.js';
import { loadNativeEngine } from '../engine/native/engine.js';
import type { EngineChoice } from '../engine/select.js';
import { CgroupError, TelemetryError } from '../error/index.js';
import { errnoOf, type HostFacts, hostFacts, processControl } from '../host/index.js';
import type { ProcessControlLoad } from '../host/process-control.js';
import { TelemetryPolicy } from '../policy/index.js';
import {
  cleanStaleScopes,
  type LaunchFailure,
  launch,
  type OsResourceLimits,
  placesToClean,
  type Scope,
  spawnScoped,
} from '../scope/index.js';
import { degradedReason } from './degraded.js';
import { Episode, type EpisodeExit, type EpisodeOptions } from './episode.js';
import { oomKilled, usesOf } from './exhausted.js';
import {
  budgetOf,
  kernelLimits,
  kernelLimitsMemory,
  type Limits,
  memoryTripwires,
} from './limits.js';
import { Measurement } from './measurement.js';
import { complain, paintFor, writeErr } from './output.js';
import { OutputFile } from './output-file.js';
import { everyFrame } from './recording.js';
import type { RunOptions } from './run-options.js';
import { SignalForwarder } from './signals.js';
import { type RunSummary, renderSummary, summaryToJson } from './summary.js';
import { askedForTree, neededControllers, type Placement, placeIn, placeWithout } from './tier.js';
import { ExitStatus, Refusal, UsageError } from './usage.js';

/** Four seconds at the shortest period, between two looks of a reader that looks every 0.2 s; 1 MiB. */
const RING_CAPACITY = 4096;

/** Runs the command; resolves to the exit status of episcope. Throws `Refusal` before anything was run. */
export async function run(options: RunOptions): Promise<number> {
  const engine = chooseEngine(options.engine);
  const files = openFiles(options);
  try {
    return await runWithFiles(options, engine, files);
  } finally {
    files.json?.close();
    files.record?.close();
  }
}

interface RunContext {
  readonly options: RunOptions;
  readonly engine: EngineName;
  readonly collector: TelemetryCollector;
  readonly addon: ProcessControlLoad;
  readonly facts: HostFacts;
  readonly budget: BudgetTracker | null;
  readonly files: OutputFiles;
  readonly episode: EpisodeOptions;
}

interface OutputFiles {
  readonly json: OutputFile | null;
  readonly record: OutputFile | null;
}

async function runWithFiles(
  options: RunOptions,
  engine: EngineName,
  files: OutputFiles,
): Promise<number> {
  const collector = makeCollector(options, engine);
  const addon = processControl();
  const facts = hostFacts();
  await cleanStaleScopes(placesToClean(facts));
  const budget = budgetOf(options.limits);
  const episode: EpisodeOptions = {
    id: options.id,
    collector,
    control: addon.control,
    reaper: addon.control !== null && addon.control.setSubreaper() === null,
    signals: new SignalForwarder(addon.control),
    record: files.record,
    budget,
    onExhausted: options.limits.onExhausted,
  };
  const context = { options, engine, collector, addon, facts, budget, files, episode };
  if (options.source === 'proc') return runInTree(context, askedForTree());
  const { limits } = options;
  const limited = await runInScope(context, kernelLimits(limits));
  if (typeof limited === 'number') return limited;
  const lacksMemory = limited.code === 'ERR_CONTROLLER_NOT_ENABLED' && limits.memoryBytes !== null;
  const done = lacksMemory ? await runInScope(context, {}) : limited;
  if (typeof done === 'number') return done;
  return runInTree(context, placeWithout(done, options, facts));
}

/** Where we are, measured as a process tree. */
async function runInTree(context: RunContext, placement: Placement): Promise<number> {
  const { reason } = context.facts.proc;
  if (reason !== null) {
    throw new Refusal(`the command cannot be measured, so it was not run: ${reason}`);
  }
  const { command, args } = context.options;
  const launched = launch({ command, args, procsFd: null, spawn: { stdio: 'inherit' } });
  const { child } = launched;
  const episode = child === null ? null : beginEpisode(context, child, placement);
  return measure(context, placement, episode, await launched.started);
}

/**
 * In a scope of its own: the exit status, or why there is none or it cannot be entered; nothing was run then. The scope
 * is gone afterwards.
 */
async function runInScope(
  context: RunContext,
  limits: OsResourceLimits,
): Promise<number | CgroupError> {
  const { command, args, id, source, strategy } = context.options;
  let placement: Placement | null = null;
  let episode: Episode | null = null;
  const beforeExec = (scope: Scope, child: ChildProcess): void => {
    placement = placeIn(scope, source, context.facts);
    episode = beginEpisode(context, child, placement);
  };
  const asked = { id, limits, strategy, stdio: 'inherit', beforeExec } as const;
  let scope: Scope | null = null;
  try {
    let failure: LaunchFailure | null = null;
    try {
      ({ scope } = await spawnScoped(command, args, asked, { needs: neededControllers(source) }));
    } catch (cause) {
      if (cause instanceof CgroupError) return cannotScope(cause);
      failure = launchFailureOf(cause);
    }
    return await measure(context, placement, episode, failure);
  } finally {
    await scope?.remove({ kill: true }).catch((cause: Error) => complain(cause.message));
  }
}

/** A limit that the kernel refuses is no reason to do without. */
function cannotScope(cause: CgroupError): CgroupError {
  if (cause.code !== 'ERR_CGROUP_WRITE' || !cause.file?.includes('/memory.')) return cause;
  throw new Refusal(`--memory-max is not possible here, so nothing was run: ${cause.message}`);
}

/** Of a command that is not there, or cannot be run; anything else is thrown on. */
function launchFailureOf(cause: unknown): LaunchFailure {
  if (cause instanceof TelemetryError && cause.code === 'ERR_SPAWN_FAILED') {
    return { stage: 'exec', errno: cause.errno ?? null };
  }
  throw cause;
}

function beginEpisode(context: RunContext, child: ChildProcess, placement: Placement): Episode {
  const { limits } = context.options;
  const tripwires = samplesMemory(limits, placement)
    ? memoryTripwires(limits.memoryBytes, context.collector.policy)
    : [];
  try {
    return new Episode(context.episode, child, placement, tripwires);
  } catch (cause) {
    child.kill('SIGKILL');
    throw cause;
  }
}

/** The memory limit is looked at with every sample, since the kernel keeps none there. */
function samplesMemory(
  limits: Limits,
  placement: Placement | null,
): limits is Limits & { readonly memoryBytes: bigint } {
  if (limits.memoryBytes === null || placement === null) return false;
  return !kernelLimitsMemory(placement.scope ?? null);
}

/** To the command's end. `episode` and `placement` are null where not even a process could be made. */
async function measure(
  context: RunContext,
  placement: Placement | null,
  episode: Episode | null,
  failure: LaunchFailure | null,
): Promise<number> {
  const { options, addon, files, budget } = context;
  const { limits } = options;
  episode?.started(failure);
  const starved = failure?.errno === 'ENOMEM' && limits.memoryBytes !== null;
  const exit =
    failure === null && episode !== null ? await episode.exit() : notStarted(failure, starved);
  await episode?.end();

  const measurement = episode?.measurement ?? new Measurement();
  const kernelKeepsMemory = kernelLimitsMemory(placement?.scope ?? null);
  const oomKill =
    limits.memoryBytes !== null && kernelKeepsMemory && episode !== null
      ? oomKilled(limits.memoryBytes, measurement, episode.startedNs)
      : null;
  const summary: RunSummary = {
    episodeId: options.id,
    command: [options.command, ...options.args],
    exitCode: exit.code,
    signal: exit.signal,
    wallNs: exit.wallNs,
    engine: context.engine,
    periodMs: options.periodMs,
    degradedReason: degradedReason(
      measurement,
      placement,
      addon,
      context.facts,
      samplesMemory(limits, placement),
    ),
    totals: measurement,
    exhausted: episode?.enforcement.exhausted ?? oomKill,
    uses: usesOf(limits, budget?.consumed() ?? null, measurement, kernelKeepsMemory),
    measuredNs: episode?.enforcement.measuredNs ?? null,
  };
  files.json?.write(summaryToJson(summary));
  if (starved)
    complain(`--memory-max is less than ${shown(options.command)} takes to start: killed`);
  else if (failure !== null) complain(commandComplaint(options.command, failure));
  else if (!options.quiet) {
    writeErr(renderSummary(summary, [...(episode?.warnings ?? [])], paintFor(2)));
  }
  return statusOf(exit);
}

/** What a shell would give. Node has no name for a real-time signal: that is the highest status. */
function statusOf({ code, signal }: EpisodeExit): number {
  if (code !== null) return code;
  return 128 + ((signal && constants.signals[signal]) || 127);
}

/** What the launcher reported becomes the status that a shell would give. Starved, it was killed by its limit. */
function notStarted(failure: LaunchFailure | null, starved: boolean): EpisodeExit {
  if (starved) return { code: null, signal: 'SIGKILL', wallNs: 0n };
  const code = failure?.errno === 'ENOENT' ? ExitStatus.NOT_FOUND : ExitStatus.CANNOT_RUN;
  return { code, signal: null, wallNs: 0n };
}

function chooseEngine(choice: EngineChoice): EngineName {
  const { engine, reason } = loadNativeEngine();
  if (choice === 'native' && engine === null) {
    throw new Refusal(
      `--engine native is not possible here: the addon does not load (${reason}); use --engine js or --engine auto`,
    );
  }
  return choice === 'js' || engine === null ? 'js' : 'native';
}

function makeCollector({ periodMs }: RunOptions, engine: EngineName): TelemetryCollector {
  const policy = TelemetryPolicy.builder()
    .samplePeriodMs(periodMs)
    .ringBufferCapacity(RING_CAPACITY)
    .promoteTriggers(everyFrame(periodMs))
    .build();
  try {
    return new TelemetryCollector(policy, { engine });
  } catch (cause) {
    if (!(cause instanceof TelemetryError)) throw cause;
    throw new Refusal(cause.message);
  }
}

/** All are opened before any is emptied, and before anything is made that would have to be undone. */
function openFiles(options: RunOptions): OutputFiles {
  const json = openFile('--json', options.jsonFile);
  const record = openFile('--record', options.recordFile);
  if (json !== null && record !== null && json.isSameAs(record)) {
    throw new UsageError('--json and --record are one file: give each its own');
  }
  json?.truncate();
  record?.truncate();
  return { json, record };
}

function openFile(option: string, path: string | null): OutputFile | null {
  if (path === null) return null;
  try {
    return new OutputFile(option, path, complain);
  } catch (cause) {
    throw new Refusal(
      `${option} ${shown(path)} cannot be written (${errnoOf(cause)}); nothing was run`,
    );
  }
}

/** As it is, or quoted where it would not stay one plain line. */
function shown(text: string): string {
  return /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(text) ? text : JSON.stringify(text);
}

function commandComplaint(command: string, failure: LaunchFailure): string {
  if (failure.errno !== 'ENOENT') return `cannot run ${shown(command)}${because(failure)}`;
  const path = command.includes('/') ? command : null;
  return path !== null && existsSync(path)
    ? `cannot run ${shown(command)}: the interpreter that its first line names does not exist`
    : `cannot run ${shown(command)}: no such command`;
}

function because(failure: LaunchFailure): string {
  return failure.errno === null ? '' : ` (${failure.errno})`;
}
