/** The summary of a run: one JSON object for programs, some lines for people. Pure. */

import type { EngineName } from '../engine/engine.js';
import type { FrameQuality, MetricSource } from '../frame/index.js';
import type { HostFacts } from '../host/index.js';
import type { ProcessControlLoad } from '../kernel/process-control.js';
import { stringifyExact } from '../ndjson/exact-json.js';
import { type Exhausted, exhaustedText, exhaustedToJson, type Use, useText } from './exhausted.js';
import { formatBytes, formatDuration, formatPercent, listOf } from './format.js';
import type { Measurement, PartTotal } from './measurement.js';
import { type Paint, PLAIN } from './output.js';
import { sparkline } from './sparkline.js';
import type { Placement } from './tier.js';

const SUMMARY_SCHEMA = 'episcope.summary.v1';

export interface RunSummary {
  readonly episodeId: string;
  readonly command: readonly string[];
  /** null if a signal ended it; `signal` is null too if it is not known how it ended. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly wallNs: bigint;
  readonly engine: EngineName;
  readonly periodMs: number;
  /** null if cpu, memory and io all come from the cgroup. */
  readonly degradedReason: string | null;
  readonly totals: Measurement;
  /** The limit that was reached; null if none was. */
  readonly exhausted: Exhausted | null;
  /** How much of each given limit was used. */
  readonly uses: readonly Use[];
  /** How long the command was measured, if it went on after that; else null. */
  readonly measuredNs: bigint | null;
}

/** Returns one line of JSON. Absent metrics are null; integers keep all their digits. */
export function summaryToJson(summary: RunSummary): string {
  const { totals } = summary;
  const members = {
    schema: SUMMARY_SCHEMA,
    episode_id: summary.episodeId,
    command: summary.command,
    exit_code: summary.exitCode,
    signal: summary.signal,
    wall_ns: summary.wallNs,
    cpu_ns: totals.cpuNs,
    cpu_user_ns: totals.cpuUserNs,
    cpu_system_ns: totals.cpuSystemNs,
    mem_rss_max_bytes: totals.memRssMaxBytes,
    mem_current_max_bytes: totals.memCurrentMaxBytes,
    mem_peak_bytes: totals.memPeakBytes,
    io_read_bytes: totals.ioReadBytes,
    io_write_bytes: totals.ioWriteBytes,
    cpu_throttled_ns: totals.cpuThrottledNs,
    oom_kills: totals.oomKills,
    frames: totals.frames + totals.missed,
    missed: totals.missed,
    deadlines_missed: totals.deadlinesMissed,
    engine: summary.engine,
    sources: sourcesOf(totals),
    quality: qualityOf(totals),
    degraded_reason: summary.degradedReason,
    exhausted: summary.exhausted === null ? null : exhaustedToJson(summary.exhausted),
    collect_ns: totals.collectNs,
  };
  return `${stringifyExact(members)}\n`;
}

export function sourcesOf(totals: Measurement): Record<'cpu' | 'memory' | 'io', MetricSource> {
  const { cpu, memory, io } = totals.parts;
  return { cpu: cpu.source, memory: memory.source, io: io.source };
}

function qualityOf({ parts }: Measurement): Record<'cpu' | 'memory' | 'io', FrameQuality[]> {
  return {
    cpu: [...parts.cpu.quality],
    memory: [...parts.memory.quality],
    io: [...parts.io.quality],
  };
}

const SPARKLINE_COLUMNS = 24;
const LABEL_COLUMNS = 11;

/** Returns the lines for people, each with its newline, followed by `warnings`. */
export function renderSummary(
  summary: RunSummary,
  warnings: readonly string[] = [],
  paint: Paint = PLAIN,
): string {
  const rows: [string, string][] = [
    ['cpu', cpuLine(summary, paint)],
    ['', cpuPartsLine(summary.totals)],
    ['memory', memoryLine(summary.totals)],
    ['io', ioLine(summary.totals)],
    ['oom kills', oomLine(summary.totals, paint)],
    ['sources', sourcesLine(summary.totals)],
    ['frames', framesLine(summary)],
    ['cost', costLine(summary)],
  ];
  const budget = budgetLine(summary, paint);
  if (budget !== null) rows.push(['budget', budget]);
  if (summary.degradedReason !== null) rows.push(['degraded', paint.warn(summary.degradedReason)]);
  for (const warning of warnings) rows.push(['warning', paint.warn(warning)]);
  const lines = rows.map(([label, text]) =>
    `  ${paint.dim(label.padEnd(LABEL_COLUMNS))}${text}`.trimEnd(),
  );
  return `${[headline(summary, paint), ...lines].join('\n')}\n`;
}

function headline(summary: RunSummary, paint: Paint): string {
  const end = endText(summary, paint);
  return `${paint.bold(`episcope ${summary.episodeId}`)}: ${end} after ${formatDuration(summary.wallNs)}`;
}

function endText({ exitCode, signal }: RunSummary, paint: Paint): string {
  if (signal !== null) return `ended by ${paint.warn(signal)}`;
  return exitCode === null ? paint.warn('exit status unknown') : `exit status ${exitCode}`;
}

/** Returns null if no limit was given. */
function budgetLine({ exhausted, uses, measuredNs }: RunSummary, paint: Paint): string | null {
  if (exhausted === null) return uses.length === 0 ? null : uses.map(useText).join(', ');
  const until =
    measuredNs === null ? '' : `; the figures end there, after ${formatDuration(measuredNs)}`;
  return paint.warn(`${exhaustedText(exhausted)}${until}`);
}

function cpuLine({ totals, wallNs }: RunSummary, paint: Paint): string {
  if (totals.cpuNs === null) return 'not available';
  const share = wallNs > 0n ? Number(totals.cpuNs) / Number(wallNs) : 0;
  const shares = totals.trace.shares(SPARKLINE_COLUMNS);
  const top = Math.max(1, ...shares);
  const line = shares.length < 2 ? '' : `  ${sparkline(shares, top)}`;
  const scale = line !== '' && top > 1.05 ? paint.dim(` (full: ${top.toFixed(1)} cores)`) : '';
  const total = `${bound(totals.parts.cpu)}${formatDuration(totals.cpuNs)}`;
  return `${paint.bold(total)}, ${formatPercent(share)} of one core${line}${scale}`;
}

function cpuPartsLine(totals: Measurement): string {
  return known([
    ['user', totals.cpuUserNs, formatDuration],
    ['system', totals.cpuSystemNs, formatDuration],
    ['throttled', totals.cpuThrottledNs, formatDuration],
  ]);
}

function memoryLine(totals: Measurement): string {
  if (totals.parts.memory.source === 'unavailable') return 'not measured';
  const least = totals.memoryIncomplete ? 'at least ' : '';
  const line = known([
    ['peak', totals.memPeakBytes, (bytes) => `${bound(totals.parts.memory)}${formatBytes(bytes)}`],
    ['highest rss', totals.memRssMaxBytes, (bytes) => `${least}${formatBytes(bytes)}`],
    ['highest current', totals.memCurrentMaxBytes, formatBytes],
  ]);
  const sampled =
    totals.memRssMaxBytes !== null && totals.parts.memory.source === 'proc'
      ? ` (of ${totals.frames} samples)`
      : '';
  return `${line}${sampled}`;
}

function ioLine(totals: Measurement): string {
  const least = bound(totals.parts.io);
  const bytes = (value: bigint | null) => (value === null ? '—' : `${least}${formatBytes(value)}`);
  return `read ${bytes(totals.ioReadBytes)}, written ${bytes(totals.ioWriteBytes)}`;
}

function oomLine(totals: Measurement, paint: Paint): string {
  if (totals.oomKills === null) return 'not available';
  return totals.oomKills > 0n ? paint.warn(String(totals.oomKills)) : '0';
}

function sourcesLine(totals: Measurement): string {
  const { cpu, memory, io } = sourcesOf(totals);
  return `cpu ${cpu}, memory ${memory}, io ${io}`;
}

function framesLine({ totals, periodMs, engine }: RunSummary): string {
  const taken = totals.frames + totals.missed;
  const deadlines = `${totals.deadlinesMissed} deadline${totals.deadlinesMissed === 1 ? '' : 's'}`;
  const lost = totals.missed === 0 ? '' : `, ${totals.missed} of them not read`;
  return `${taken} taken${lost}, ${deadlines} missed, one every ${periodMs} ms (${engine} engine)`;
}

function costLine({ totals, wallNs }: RunSummary): string {
  const share = wallNs > 0n ? Number(totals.collectNs) / Number(wallNs) : 0;
  return `${formatDuration(totals.collectNs)} spent measuring, ${formatPercent(share)} of the run`;
}

function bound({ quality }: PartTotal): string {
  return quality.has('lowerBound') ? 'at least ' : '';
}

/** Formats the known values of a line and leaves out the others. */
function known(
  parts: readonly [name: string, value: bigint | null, format: (value: bigint) => string][],
): string {
  const told = parts.flatMap(([name, value, format]) =>
    value === null ? [] : [`${name} ${format(value)}`],
  );
  return told.length === 0 ? 'not available' : told.join(', ');
}

/** Returns one line on why not all figures come from the cgroup; null if they do. */
export function degradedReason(
  totals: Measurement,
  placement: Placement | null,
  addon: ProcessControlLoad,
  facts: HostFacts,
  /** `--memory-max` was given, and the kernel does not enforce it. */
  samplesMemoryLimit: boolean,
): string | null {
  const sources = Object.entries(sourcesOf(totals));
  const named = (wanted: string) =>
    listOf(sources.filter(([, source]) => source === wanted).map(([part]) => part));
  const degraded = named('proc');
  const absent = named('unavailable');
  if (degraded === '' && absent === '') return null;
  const parts = [placement?.reason ?? 'the cgroup did not tell everything'];
  if (degraded !== '') parts.push(`${degraded} from /proc`);
  if (absent !== '') parts.push(`${absent} not available`);
  if (absent !== '' && facts.proc.reason !== null) parts.push(facts.proc.reason);
  if (samplesMemoryLimit) {
    parts.push(
      '--memory-max is checked with every sample: a burst between two samples is not stopped',
    );
  }
  if (addon.control === null) {
    parts.push('without the addon there is no subreaper: what orphans did may be missing');
  }
  return parts.join('; ');
}
