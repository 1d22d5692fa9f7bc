/** `episcope run`: runs and measures one command. */
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { BudgetTracker } from '../budget/index.js';
import { TelemetryCollector } from '../collector/index.js';
import type { EngineName } from '../engine/engine.js';
import { type EngineChoice, loadNativeEngine } from '../engine/select.js';
import { CgroupError, TelemetryError } from '../error/index.js';
import { type HostFacts, hostFacts } from '../host/index.js';
import { signalNumber } from '../kernel/child-exit.js';
import { errnoOf, isShortage } from '../kernel/errno.js';
import { type ProcessControlLoad, processControl } from '../kernel/process-control.js';
import { TelemetryPolicy } from '../policy/index.js';
import {
  cleanStaleScopes,
  type OsResourceLimits,
  placesToClean,
  type Scope,
  spawnHeld,
  spawnScoped,
  untilCleaned,
} from '../scope/index.js';
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
import { Interrupted, StartAbort } from './start-abort.js';
import { degradedReason, type RunSummary, renderSummary, summaryToJson } from './summary.js';
import { askedForTree, neededControllers, type Placement, placeIn, placeWithout } from './tier.js';
import { ExitStatus, Refusal, UsageError } from './usage.js';

/** Four seconds at the shortest period, for a reader that reads every 0.2 s; 1 MiB. */
const RING_CAPACITY = 4096;

/** Runs the command; resolves to the exit status of episcope. Throws `Refusal` before anything is run. */
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
  readonly abort: StartAbort;
}

/** Why the command did not run. */
interface NotRun {
  readonly errno: string | null;
  /** The signal that ended the start, else null. */
  readonly signal: NodeJS.Signals | null;
  /** A message of its own; null for that of the errno. */
  readonly complaint: string | null;
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
  const abort = new StartAbort();
  const signals = new SignalForwarder(addon.control, (signal) => abort.takes(signal));
  const facts = hostFacts();
  const budget = budgetOf(options.limits);
  const episode: EpisodeOptions = {
    id: options.id,
    collector,
    control: addon.control,
    reaper: addon.control !== null && addon.control.setSubreaper() === null,
    signals,
    record: files.record,
    budget,
    onExhausted: options.limits.onExhausted,
    takesAtStart: (signal) => abort.takes(signal),
  };
  const context = { options, engine, collector, addon, facts, budget, files, episode, abort };
  try {
    await untilCleaned(cleanStaleScopes(placesToClean(facts)), { signal: abort.signal });
  } catch (cause) {
    return measure(context, null, null, whyNotRun(cause));
  }
  if (options.tier === 'proc') return runInTree(context, askedForTree());
  const { limits } = options;
  const limited = await runInScope(context, kernelLimits(limits));
  if (typeof limited === 'number') return limited;
  const lacksMemory = limited.code === 'ERR_CONTROLLER_NOT_ENABLED' && limits.memoryBytes !== null;
  const done = lacksMemory ? await runInScope(context, {}) : limited;
  if (typeof done === 'number') return done;
  return runInTree(context, placeWithout(done, options, facts));
}

/** Runs the command in the cgroup of episcope, measured as a process tree. */
async function runInTree(context: RunContext, placement: Placement): Promise<number> {
  const { reason } = context.facts.proc;
  if (reason !== null) {
    throw new Refusal(`the command cannot be measured, so it was not run: ${reason}`);
  }
  const { command, args } = context.options;
  let episode: Episode | null = null;
  const notRun = await started(context, (signal) =>
    spawnHeld(command, args, {
      stdio: 'inherit',
      signal,
      beforeExec: (child) => {
        episode = beginEpisode(context, child, placement);
      },
    }),
  );
  return measure(context, placement, episode, notRun);
}

/** Resolves to null once the command runs, or to why it never will. Rethrows an error that is not of the start. */
async function started(
  { abort }: RunContext,
  start: (signal: AbortSignal) => Promise<unknown>,
): Promise<NotRun | null> {
  abort.begin();
  try {
    await start(abort.signal);
    return null;
  } catch (cause) {
    return whyNotRun(cause);
  } finally {
    abort.over();
  }
}

/** Returns why a command is missing, cannot be run, or was interrupted or timed out; rethrows any other error. */
function whyNotRun(cause: unknown): NotRun {
  if (cause instanceof Interrupted) {
    return { errno: null, signal: cause.signal, complaint: cause.message };
  }
  if (!(cause instanceof TelemetryError) || cause.code !== 'ERR_SPAWN_FAILED') throw cause;
  const { errno = null, message } = cause;
  const isOfCommand = errno !== null && errno !== 'ETIMEDOUT';
  return { errno, signal: null, complaint: isOfCommand ? null : message };
}

/**
 * Runs the command in a scope of its own. Resolves to the exit status, or to why the scope cannot be made or entered,
 * in which case nothing was run. The scope is removed afterwards.
 */
async function runInScope(
  context: RunContext,
  limits: OsResourceLimits,
): Promise<number | CgroupError> {
  const { command, args, id, tier, strategy } = context.options;
  let placement: Placement | null = null;
  let episode: Episode | null = null;
  const beforeExec = (scope: Scope, child: ChildProcess): void => {
    placement = placeIn(scope, tier, context.facts);
    episode = beginEpisode(context, child, placement);
  };
  const asked = { id, limits, strategy, stdio: 'inherit', beforeExec } as const;
  const needs = neededControllers(tier);
  const made: Scope[] = [];
  try {
    const notRun = await started(context, async (signal) => {
      made.push((await spawnScoped(command, args, { ...asked, signal }, { needs })).scope);
    });
    return await measure(context, placement, episode, notRun);
  } catch (cause) {
    if (cause instanceof CgroupError && made.length === 0) return cannotScope(cause);
    throw cause;
  } finally {
    for (const scope of made) {
      await scope.remove({ kill: true }).catch((cause: Error) => complain(cause.message));
    }
  }
}

/** A limit that the kernel refuses must not be dropped silently. */
function cannotScope(cause: CgroupError): CgroupError {
  // A shortage says nothing about the host's capabilities.
  if (isShortage(cause.errno)) throw new Refusal(`${cause.message}; nothing was run`);
  if (cause.code !== 'ERR_CGROUP_WRITE' || !cause.file?.includes('/memory.')) return cause;
  throw new Refusal(`--memory-max is not possible here, so nothing was run: ${cause.message}`);
}

function beginEpisode(context: RunContext, child: ChildProcess, placement: Placement): Episode {
  const { limits } = context.options;
  const tripwires = samplesMemory(limits, placement)
    ? memoryTripwires(limits.memoryBytes, context.collector.policy)
    : [];
  context.abort.letGo();
  return new Episode(context.episode, child, placement, tripwires);
}

/** Whether the memory limit is checked with every sample, because the kernel does not enforce it there. */
function samplesMemory(
  limits: Limits,
  placement: Placement | null,
): limits is Limits & { readonly memoryBytes: bigint } {
  if (limits.memoryBytes === null || placement === null) return false;
  return !kernelLimitsMemory(placement.scope ?? null);
}

/** Measures until the command's end. `episode` and `placement` are null if not even a process could be made. */
async function measure(
  context: RunContext,
  placement: Placement | null,
  episode: Episode | null,
  notRun: NotRun | null,
): Promise<number> {
  const { options, addon, files, budget } = context;
  const { limits } = options;
  episode?.started(notRun === null);
  const starved = notRun?.errno === 'ENOMEM' && limits.memoryBytes !== null;
  const exit =
    notRun === null && episode !== null ? await episode.exit() : notStarted(notRun, starved);
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
  else if (notRun !== null) complain(commandComplaint(options.command, notRun));
  else if (!options.quiet) {
    writeErr(renderSummary(summary, [...(episode?.warnings ?? [])], paintFor(2)));
  }
  return statusOf(exit);
}

/** Returns the exit status that a shell would give; the highest one if it is not known how the command ended. */
function statusOf({ code, signal }: EpisodeExit): number {
  if (code !== null) return code;
  return signal === null ? ExitStatus.UNKNOWN : 128 + (signalNumber(signal) ?? 127);
}

/** Converts the launcher's report to the status that a shell would give. If `starved`, its limit killed the command. */
function notStarted(notRun: NotRun | null, starved: boolean): EpisodeExit {
  const signal = starved ? 'SIGKILL' : (notRun?.signal ?? null);
  if (signal !== null) return { code: null, signal, wallNs: 0n };
  const code = notRun?.errno === 'ENOENT' ? ExitStatus.NOT_FOUND : ExitStatus.CANNOT_RUN;
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

/** Opens all files before any is truncated, and before anything is created that would have to be undone. */
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

/** Returns the text, quoted if it would not be one plain line. */
function shown(text: string): string {
  return /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(text) ? text : JSON.stringify(text);
}

function commandComplaint(command: string, { errno, complaint }: NotRun): string {
  if (complaint !== null) return complaint;
  if (errno !== 'ENOENT') return `cannot run ${shown(command)} (${errno})`;
  const path = command.includes('/') ? command : null;
  return path !== null && existsSync(path)
    ? `cannot run ${shown(command)}: the interpreter that its first line names does not exist`
    : `cannot run ${shown(command)}: no such command`;
}
