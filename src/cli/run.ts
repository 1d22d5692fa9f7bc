/** `episcope run`: one command, measured. */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { TelemetryCollector } from '../collector/index.js';
import type { EngineName } from '../engine/engine.js';
import { loadNativeEngine } from '../engine/native/engine.js';
import type { EngineChoice } from '../engine/select.js';
import { CgroupError, TelemetryError } from '../error/index.js';
import { errnoOf, hostFacts, processControl } from '../host/index.js';
import type { ProcessControlLoad } from '../host/process-control.js';
import { TelemetryPolicy } from '../policy/index.js';
import { cleanStaleScopes, type LaunchFailure, limitMemory, removeScope } from '../scope/index.js';
import { degradedReason } from './degraded.js';
import { Episode, type EpisodeExit, type EpisodeOptions } from './episode.js';
import { oomKilled, usesOf } from './exhausted.js';
import { budgetOf, kernelLimitsMemory, type Limits, memoryTripwires } from './limits.js';
import { complain, paintFor, writeErr } from './output.js';
import { OutputFile } from './output-file.js';
import { everyFrame } from './recording.js';
import type { RunOptions } from './run-options.js';
import { SignalForwarder } from './signals.js';
import { type RunSummary, renderSummary, summaryToJson } from './summary.js';
import { type Placement, place, processTree } from './tier.js';
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

async function runWithFiles(
  options: RunOptions,
  engine: EngineName,
  files: OutputFiles,
): Promise<number> {
  const collector = makeCollector(options, engine);
  const addon = processControl();
  const facts = hostFacts();
  await cleanStaleScopes(facts.scopes.places, { control: addon.control });
  const reaper = addon.control !== null && addon.control.setSubreaper() === null;
  const signals = new SignalForwarder(addon.control);
  const context = { options, engine, collector, addon, reaper, signals, files };

  const placement = await place(options.id, options.source, facts, addon.control);
  const done = await runPlaced(context, placement);
  if (typeof done === 'number') return done;
  // A cgroup that could be made but not entered.
  const why = `${placement.scope?.cgroupPath} cannot be entered${because(done)}`;
  if (options.source !== 'auto') {
    throw new Refusal(`--source ${options.source} is not possible here: ${why}; use --source proc`);
  }
  const again = await runPlaced(context, processTree(why));
  return typeof again === 'number' ? again : ExitStatus.REFUSED;
}

interface RunContext {
  readonly options: RunOptions;
  readonly engine: EngineName;
  readonly collector: TelemetryCollector;
  readonly addon: ProcessControlLoad;
  readonly reaper: boolean;
  readonly signals: SignalForwarder;
  readonly files: OutputFiles;
}

interface OutputFiles {
  readonly json: OutputFile | null;
  readonly record: OutputFile | null;
}

/** The exit status, or why the scope could not be entered. The scope is gone afterwards. */
async function runPlaced(
  context: RunContext,
  placement: Placement,
): Promise<number | LaunchFailure> {
  try {
    await limitPlaced(placement, context.options.limits);
    return await measure(context, placement);
  } finally {
    if (placement.scope !== null) {
      await removeScope(placement.scope, context.addon.control).catch((cause: Error) =>
        complain(cause.message),
      );
    }
  }
}

/** Before the command moves in. */
async function limitPlaced({ scope }: Placement, limits: Limits): Promise<void> {
  const { memoryBytes: bytes, onExhausted } = limits;
  if (bytes === null || scope === null || !kernelLimitsMemory(scope)) return;
  try {
    await limitMemory(scope, { bytes, killsAll: onExhausted === 'kill' });
  } catch (cause) {
    if (!(cause instanceof CgroupError)) throw cause;
    throw new Refusal(`--memory-max is not possible here, so nothing was run: ${cause.message}`);
  }
}

async function measure(context: RunContext, placement: Placement): Promise<number | LaunchFailure> {
  const { options, addon, files } = context;
  const { limits } = options;
  const budget = budgetOf(limits);
  const { memoryBytes } = limits;
  const kernelKeepsMemory = kernelLimitsMemory(placement.scope);
  const samplesMemoryLimit = memoryBytes !== null && !kernelKeepsMemory;
  const episode = startEpisode({
    ...options,
    ...context,
    placement,
    record: files.record,
    control: addon.control,
    budget,
    tripwires: samplesMemoryLimit ? memoryTripwires(memoryBytes, context.collector.policy) : [],
    onExhausted: limits.onExhausted,
  });
  const failure = await episode.launched.started;
  if (failure === null) episode.collectFrames();
  const exit = failure === null ? await episode.exit() : await notStarted(episode, failure);
  await episode.end();
  if (failure?.stage === 'cgroup') return failure;

  const { measurement, enforcement } = episode;
  const oomKill =
    memoryBytes !== null && kernelKeepsMemory
      ? oomKilled(memoryBytes, measurement, episode.startedNs)
      : null;
  const summary: RunSummary = {
    episodeId: options.id,
    command: [options.command, ...options.args],
    exitCode: exit.code,
    signal: exit.signal,
    wallNs: exit.wallNs,
    engine: context.engine,
    periodMs: options.periodMs,
    degradedReason: degradedReason(measurement, placement, addon, samplesMemoryLimit),
    totals: measurement,
    exhausted: enforcement.exhausted ?? oomKill,
    uses: usesOf(limits, budget?.consumed() ?? null, measurement, kernelKeepsMemory),
    measuredNs: enforcement.measuredNs,
  };
  files.json?.write(summaryToJson(summary));
  if (failure !== null) complain(commandComplaint(options.command, failure));
  else if (!options.quiet) writeErr(renderSummary(summary, [...episode.warnings], paintFor(2)));
  return statusOf(exit);
}

/** What a shell would give. Node has no name for a real-time signal: that is the highest status. */
function statusOf({ code, signal }: EpisodeExit): number {
  if (code !== null) return code;
  return 128 + ((signal && constants.signals[signal]) || 127);
}

/** The launcher's end, if there ever was a process: what it reported becomes the status that a shell would give. */
async function notStarted(episode: Episode, failure: LaunchFailure): Promise<EpisodeExit> {
  if (episode.launched.pid !== null) await episode.launched.exited;
  const code = failure.errno === 'ENOENT' ? ExitStatus.NOT_FOUND : ExitStatus.CANNOT_RUN;
  return { code, signal: null, wallNs: 0n };
}

function startEpisode(options: EpisodeOptions): Episode {
  try {
    return new Episode(options);
  } catch (cause) {
    if (!(cause instanceof TelemetryError)) throw cause;
    throw new Refusal(`the command cannot be measured, so it was not run: ${cause.message}`);
  }
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
