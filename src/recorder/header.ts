/** The first line of every file of a recording: what its frames mean, and where they were taken. */

import { availableParallelism, hostname } from 'node:os';
import type { BudgetAmounts } from '../budget/resources.js';
import type { StartEntry } from '../collector/frame-sink.js';
import type { EngineName } from '../engine/engine.js';
import { assertEpisodeId, assertPid } from '../episode/index.js';
import { invalidConfig } from '../error/index.js';
import { type CgroupMode, hostFacts } from '../host/index.js';
import { bootId } from '../kernel/process-identity.js';
import { type ExactJson, stringifyExact } from '../ndjson/exact-json.js';
import { snakeCase } from '../ndjson/snake-case.js';
import { PromoteTriggers, TelemetryPolicy } from '../policy/index.js';
import {
  EXHAUST_ACTIONS,
  type ExhaustAction,
  RESOURCES,
  TIERS,
  type Tier,
} from '../schema/enumerations.js';
import {
  amountOf,
  countOf,
  exactOf,
  flagOf,
  listOf,
  nullOr,
  objectOf,
  oneOf,
  textOf,
} from './shape.js';

export const SCHEMA = 'episcope.frames.v1';

/** The host that recorded. */
export interface RecordingHost {
  readonly platform: string;
  /** `uname -r`. */
  readonly kernel: string;
  readonly arch: string;
  /** The version of Node.js, `v20.19.0`. */
  readonly node: string;
  readonly hostname: string;
  /** The cpus that the recording process could use. */
  readonly cpus: number;
  readonly cgroupMode: CgroupMode;
  /** Of the cgroup2 mount; none without one. */
  readonly controllers: readonly string[];
  /** Changes at every boot, '' where the kernel does not tell: times of CLOCK_MONOTONIC compare within one boot. */
  readonly bootId: string;
}

export interface RecordingHeader {
  /** A UUID, the same in every file of the recording. */
  readonly recordingId: string;
  /**
   * Which file of the recording this is, from 0 in the order they were written. A number is left out where somebody
   * else changed a file meanwhile.
   */
  readonly part: number;
  readonly episodeId: string;
  readonly pid: number;
  /** The wall clock at the start of the session, to the ms. */
  readonly startedAt: Date;
  /** CLOCK_MONOTONIC, ns, at the start of the session. */
  readonly startMonoNs: bigint;
  readonly engine: EngineName;
  /** The tier that was asked for. */
  readonly tier: Tier;
  readonly cgroupPath: string | null;
  readonly policy: TelemetryPolicy;
  /** The limits, 0 for unlimited; null without a budget. */
  readonly budget: BudgetAmounts | null;
  readonly baseline: 'zero' | 'now';
  readonly onExhausted: ExhaustAction;
  readonly host: RecordingHost;
}

const BASELINES = ['zero', 'now'] as const;
const ENGINES: readonly EngineName[] = ['native', 'js'];
const CGROUP_MODES: readonly CgroupMode[] = ['v2', 'hybrid', 'v1', 'none'];
const RFC_3339_MS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** The host, as `headerLine` writes it. Reads files below `/proc`. */
export function recordingHost(): RecordingHost {
  const { platform, kernel, mode, cgroup2 } = hostFacts();
  return {
    platform,
    kernel,
    arch: process.arch,
    node: process.version,
    hostname: hostname(),
    cpus: availableParallelism(),
    cgroupMode: mode,
    controllers: cgroup2?.controllers ?? [],
    bootId: bootId(),
  };
}

export function headerOfStart(
  start: StartEntry,
  recordingId: string,
  host: RecordingHost,
): Omit<RecordingHeader, 'part'> {
  const { kind: _, ...told } = start;
  return { recordingId, ...told, host };
}

/** Without its newline. */
export function headerLine(header: RecordingHeader): string {
  return stringifyExact({
    schema: SCHEMA,
    kind: 'header',
    recording_id: header.recordingId,
    part: header.part,
    episode_id: header.episodeId,
    pid: header.pid,
    started_at: header.startedAt.toISOString(),
    start_mono_ns: header.startMonoNs,
    engine: header.engine,
    tier: header.tier,
    cgroup_path: header.cgroupPath,
    policy: policyToJson(header.policy),
    budget: header.budget === null ? null : budgetToJson(header.budget),
    baseline: header.baseline,
    on_exhausted: header.onExhausted,
    host: {
      platform: header.host.platform,
      kernel: header.host.kernel,
      arch: header.host.arch,
      node: header.host.node,
      hostname: header.host.hostname,
      cpus: header.host.cpus,
      cgroup_mode: header.host.cgroupMode,
      controllers: header.host.controllers,
      boot_id: header.host.bootId,
    },
  });
}

/** The beginning of every header: tells a header that was cut short from a file that is not a recording. */
export const HEADER_BEGINS = `{"schema":"${SCHEMA}","kind":"header",`;

const HEADER_KEYS = [
  'schema',
  'kind',
  'recording_id',
  'part',
  'episode_id',
  'pid',
  'started_at',
  'start_mono_ns',
  'engine',
  'tier',
  'cgroup_path',
  'policy',
  'budget',
  'baseline',
  'on_exhausted',
  'host',
];

/** Throws the errors of `shape.ts`, and `ERR_INVALID_EPISODE_ID`, `ERR_INVALID_PID`. */
export function headerFromJson(value: unknown): RecordingHeader {
  oneOf('schema', (value as { schema?: unknown } | null)?.schema, [SCHEMA]);
  const json = objectOf('the header', value, HEADER_KEYS);
  oneOf('kind', json.kind, ['header']);
  const { episode_id: episodeId, pid } = json;
  assertEpisodeId(episodeId);
  assertPid(pid);
  return {
    recordingId: textOf('recording_id', json.recording_id),
    part: countOf('part', json.part),
    episodeId,
    pid,
    startedAt: dateOf('started_at', json.started_at),
    startMonoNs: exactOf('start_mono_ns', json.start_mono_ns),
    engine: oneOf('engine', json.engine, ENGINES),
    tier: oneOf('tier', json.tier, TIERS),
    cgroupPath: nullOr(json.cgroup_path, (path) => textOf('cgroup_path', path)),
    policy: policyFromJson(json.policy),
    budget: nullOr(json.budget, budgetFromJson),
    baseline: oneOf('baseline', json.baseline, BASELINES),
    onExhausted: oneOf('on_exhausted', json.on_exhausted, EXHAUST_ACTIONS),
    host: hostFromJson(json.host),
  };
}

function dateOf(name: string, value: unknown): Date {
  const text = textOf(name, value);
  const date = new Date(text);
  if (!RFC_3339_MS.test(text) || Number.isNaN(date.getTime())) {
    throw invalidConfig(`${name} must be a date of RFC 3339, UTC, in ms`);
  }
  return date;
}

function policyToJson(policy: TelemetryPolicy): ExactJson {
  const triggers = policy.promoteTriggers;
  return {
    sample_period_ms: policy.samplePeriodMs,
    ring_buffer_capacity: policy.ringBufferCapacity,
    promote_triggers: {
      on_termination: triggers.onTermination,
      on_quarantine: triggers.onQuarantine,
      on_budget_threshold: triggers.onBudgetThreshold,
      periodic_frames: triggers.periodicFrames,
    },
    high_freq_threshold_percent: policy.highFreqThresholdPercent,
    high_freq_enabled: policy.highFreqEnabled,
    memory_stat_period_ms: policy.memoryStatPeriodMs,
  };
}

function policyFromJson(value: unknown): TelemetryPolicy {
  const json = objectOf('policy', value, [
    'sample_period_ms',
    'ring_buffer_capacity',
    'promote_triggers',
    'high_freq_threshold_percent',
    'high_freq_enabled',
    'memory_stat_period_ms',
  ]);
  const triggers = objectOf('promote_triggers', json.promote_triggers, [
    'on_termination',
    'on_quarantine',
    'on_budget_threshold',
    'periodic_frames',
  ]);
  return new TelemetryPolicy({
    samplePeriodMs: amountOf('sample_period_ms', json.sample_period_ms),
    ringBufferCapacity: amountOf('ring_buffer_capacity', json.ring_buffer_capacity),
    promoteTriggers: new PromoteTriggers({
      onTermination: flagOf('on_termination', triggers.on_termination),
      onQuarantine: flagOf('on_quarantine', triggers.on_quarantine),
      onBudgetThreshold: flagOf('on_budget_threshold', triggers.on_budget_threshold),
      periodicFrames: countOf('periodic_frames', triggers.periodic_frames),
    }),
    highFreqThresholdPercent: amountOf(
      'high_freq_threshold_percent',
      json.high_freq_threshold_percent,
    ),
    highFreqEnabled: flagOf('high_freq_enabled', json.high_freq_enabled),
    memoryStatPeriodMs: amountOf('memory_stat_period_ms', json.memory_stat_period_ms),
  });
}

function budgetToJson(budget: BudgetAmounts): ExactJson {
  return Object.fromEntries(RESOURCES.map((name) => [snakeCase(name), budget[name]]));
}

function budgetFromJson(value: unknown): BudgetAmounts {
  const json = objectOf('budget', value, RESOURCES.map(snakeCase));
  const amounts = RESOURCES.map((name) => [name, amountOf(snakeCase(name), json[snakeCase(name)])]);
  return Object.fromEntries(amounts) as BudgetAmounts;
}

function hostFromJson(value: unknown): RecordingHost {
  const json = objectOf('host', value, [
    'platform',
    'kernel',
    'arch',
    'node',
    'hostname',
    'cpus',
    'cgroup_mode',
    'controllers',
    'boot_id',
  ]);
  return {
    platform: textOf('platform', json.platform),
    kernel: textOf('kernel', json.kernel),
    arch: textOf('arch', json.arch),
    node: textOf('node', json.node),
    hostname: textOf('hostname', json.hostname),
    cpus: countOf('cpus', json.cpus),
    cgroupMode: oneOf('cgroup_mode', json.cgroup_mode, CGROUP_MODES),
    controllers: listOf('controllers', json.controllers).map((each) =>
      textOf('a controller', each),
    ),
    bootId: textOf('boot_id', json.boot_id),
  };
}
