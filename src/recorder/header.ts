/** The first line of every file of a recording: the context of its frames and the host that took them. */

import { availableParallelism, hostname } from 'node:os';
import type { BudgetAmounts } from '../budget/resources.js';
import type { StartEntry } from '../collector/frame-sink.js';
import type { EngineName } from '../engine/engine.js';
import { assertEpisodeId, assertPid } from '../episode/index.js';
import { invalidConfig } from '../error/index.js';
import { type CgroupMode, hostFacts } from '../host/index.js';
import { bootId } from '../kernel/process-identity.js';
import { stringifyExact } from '../ndjson/exact-json.js';
import { type PolicySettings, PromoteTriggers, TelemetryPolicy } from '../policy/index.js';
import { EXHAUST_ACTIONS, RESOURCES, TIERS } from '../schema/enumerations.js';
import {
  AMOUNT,
  COUNT,
  EXACT,
  FLAG,
  listOf,
  nullOr,
  objectOf,
  oneOf,
  type Shape,
  TEXT,
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
  /** The controllers of the cgroup2 mount; empty without one. */
  readonly controllers: readonly string[];
  /** Changes at every boot; '' if unknown. Times of CLOCK_MONOTONIC are comparable only within one boot. */
  readonly bootId: string;
}

export interface RecordingHeader extends Omit<StartEntry, 'kind'> {
  /** A UUID, the same in every file of the recording. */
  readonly recordingId: string;
  /**
   * The number of this file in the recording, from 0 in the order of writing. A number is skipped if another process
   * changed a file meanwhile.
   */
  readonly part: number;
  /** The host that recorded. */
  readonly host: RecordingHost;
}

const ENGINES: readonly EngineName[] = ['native', 'js'];
const CGROUP_MODES: readonly CgroupMode[] = ['v2', 'hybrid', 'v1', 'none'];
const RFC_3339_MS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** Returns the host as `headerLine` writes it. Reads files below `/proc`. */
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

/** The beginning of every header: distinguishes a header that was cut short from a file that is not a recording. */
export const HEADER_BEGINS = `{"schema":"${SCHEMA}","kind":"header",`;

export const EPISODE_ID: Shape<string> = {
  write: (id) => id,
  read: (_, value) => {
    assertEpisodeId(value);
    return value;
  },
};

const PID: Shape<number> = {
  write: (pid) => pid,
  read: (_, value) => {
    assertPid(value);
    return value;
  },
};

const DATE: Shape<Date> = {
  write: (date) => date.toISOString(),
  read: (name, value) => {
    const text = TEXT.read(name, value);
    const date = new Date(text);
    if (!RFC_3339_MS.test(text) || Number.isNaN(date.getTime())) {
      throw invalidConfig(`${name} must be a date of RFC 3339, UTC, in ms`);
    }
    return date;
  },
};

const TRIGGERS = objectOf<{ [K in keyof PromoteTriggers]: PromoteTriggers[K] }>({
  onTermination: FLAG,
  onQuarantine: FLAG,
  onBudgetThreshold: FLAG,
  periodicFrames: COUNT,
});

const POLICY = objectOf<PolicySettings>({
  samplePeriodMs: AMOUNT,
  ringBufferCapacity: AMOUNT,
  promoteTriggers: {
    write: TRIGGERS.write,
    read: (name, value) => new PromoteTriggers(TRIGGERS.read(name, value)),
  },
  highFreqThresholdPercent: AMOUNT,
  highFreqEnabled: FLAG,
  memoryStatPeriodMs: AMOUNT,
});

const amounts = RESOURCES.map((name) => [name, AMOUNT]);
const BUDGET = objectOf<BudgetAmounts>(Object.fromEntries(amounts));

const HOST = objectOf<RecordingHost>({
  platform: TEXT,
  kernel: TEXT,
  arch: TEXT,
  node: TEXT,
  hostname: TEXT,
  cpus: COUNT,
  cgroupMode: oneOf(CGROUP_MODES),
  controllers: listOf(TEXT),
  bootId: TEXT,
});

const HEADER = objectOf<RecordingHeader & { schema: string; kind: string }>({
  schema: oneOf([SCHEMA]),
  kind: oneOf(['header']),
  recordingId: TEXT,
  part: COUNT,
  episodeId: EPISODE_ID,
  pid: PID,
  startedAt: DATE,
  startMonoNs: EXACT,
  engine: oneOf(ENGINES),
  tier: oneOf(TIERS),
  cgroupPath: nullOr(TEXT),
  policy: {
    write: POLICY.write,
    read: (name, value) => new TelemetryPolicy(POLICY.read(name, value)),
  },
  budget: nullOr(BUDGET),
  baseline: oneOf(['zero', 'now']),
  onExhausted: oneOf(EXHAUST_ACTIONS),
  host: HOST,
});

/** Returns the line without its newline. */
export function headerLine(header: RecordingHeader): string {
  return stringifyExact(HEADER.write({ ...header, schema: SCHEMA, kind: 'header' }));
}

/** Throws the errors of `shape.ts`, `ERR_INVALID_EPISODE_ID` and `ERR_INVALID_PID`. */
export function headerFromJson(value: unknown): RecordingHeader {
  // Check the schema first: a header of another schema has other fields.
  oneOf([SCHEMA]).read('schema', (value as { schema?: unknown } | null)?.schema);
  const { schema: _schema, kind: _kind, ...header } = HEADER.read('the header', value);
  return header;
}
