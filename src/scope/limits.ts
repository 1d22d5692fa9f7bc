/** Limits that the kernel itself enforces, and the control files to which they are written. */
import {
  assertBoolean,
  assertOptions,
  invalidConfig,
  type OptionKeys,
  outOfRange,
  wholeNumber,
} from '../error/index.js';
import type { WantedController } from '../kernel/cgroup-files.js';

/** Throughput of one device, `io.max`; an omitted rate is not limited. */
export interface IoMax {
  /** `MAJOR:MINOR`, as in `io.stat`. */
  readonly device: string;
  readonly readBytesPerSec?: number | bigint | undefined;
  readonly writeBytesPerSec?: number | bigint | undefined;
  readonly readOpsPerSec?: number | bigint | undefined;
  readonly writeOpsPerSec?: number | bigint | undefined;
}

/** `cpu.max`: cpu time per period, both in µs; 200,000 per 100,000 are two cpus. */
export interface CpuQuota {
  /** At least 1,000. */
  readonly quotaUsec: number;
  /** 1,000 to 1,000,000; 100,000 by default. */
  readonly periodUsec?: number | undefined;
}

/** What a scope may use of the machine; an omitted resource is not limited. */
export interface OsResourceLimits {
  /** `memory.max`; the kernel rounds it down to a page, and kills if it cannot reclaim below it. */
  readonly memoryBytes?: number | bigint | undefined;
  /** `memory.high`: above it, the kernel slows the processes down and reclaims their memory. */
  readonly memoryHigh?: number | bigint | undefined;
  /** `memory.oom.group`: an oom kill kills the whole scope, not a single process of it. */
  readonly memoryOomGroup?: boolean | undefined;
  readonly cpuQuota?: CpuQuota | undefined;
  /** `pids.max`: processes and threads, counted together. */
  readonly pidsMax?: number | undefined;
  readonly ioMax?: readonly IoMax[] | undefined;
}

/** Checked limits. null: not limited. */
export interface CheckedLimits {
  readonly memoryMax: bigint | null;
  readonly memoryHigh: bigint | null;
  readonly memoryOomGroup: boolean;
  readonly cpuQuota: { readonly quotaUsec: bigint; readonly periodUsec: bigint } | null;
  readonly pidsMax: bigint | null;
  readonly ioMax: readonly CheckedIoMax[];
}

export interface CheckedIoMax {
  readonly device: string;
  readonly rbps: bigint | null;
  readonly wbps: bigint | null;
  readonly riops: bigint | null;
  readonly wiops: bigint | null;
}

/** One write of one limit. */
export interface ControlWrite {
  readonly controller: WantedController;
  readonly file: string;
  readonly text: string;
}

const DEFAULT_PERIOD_USEC = 100_000n;
const MIN_USEC = 1_000n;
const MAX_PERIOD_USEC = 1_000_000n;
const MAX_LIMIT = 2n ** 63n - 1n;
const DEVICE = /^\d{1,10}:\d{1,10}$/;

const LIMITS: OptionKeys<OsResourceLimits> = {
  memoryBytes: true,
  memoryHigh: true,
  memoryOomGroup: true,
  cpuQuota: true,
  pidsMax: true,
  ioMax: true,
};
const CPU_QUOTA: OptionKeys<CpuQuota> = { quotaUsec: true, periodUsec: true };
const IO_MAX: OptionKeys<IoMax> = {
  device: true,
  readBytesPerSec: true,
  writeBytesPerSec: true,
  readOpsPerSec: true,
  writeOpsPerSec: true,
};

/** Throws `ERR_INVALID_CONFIG`, or `ERR_OUT_OF_RANGE` with the name of the limit. */
export function checkLimits(limits: OsResourceLimits = {}): CheckedLimits {
  assertOptions('limits', limits, LIMITS);
  assertBoolean('limits.memoryOomGroup', limits.memoryOomGroup);
  if (limits.ioMax !== undefined && !Array.isArray(limits.ioMax)) {
    throw invalidConfig('limits.ioMax must be an array, one object for each device');
  }
  return {
    memoryMax: positive('limits.memoryBytes', limits.memoryBytes),
    memoryHigh: positive('limits.memoryHigh', limits.memoryHigh),
    memoryOomGroup: limits.memoryOomGroup ?? false,
    cpuQuota: limits.cpuQuota === undefined ? null : checkQuota(limits.cpuQuota),
    pidsMax: positive('limits.pidsMax', limits.pidsMax),
    ioMax: (limits.ioMax ?? []).map(checkIoMax),
  };
}

/** The writes, in the order in which they must happen. */
export function controlWrites(limits: CheckedLimits): ControlWrite[] {
  const { memoryMax, memoryHigh, memoryOomGroup, cpuQuota, pidsMax, ioMax } = limits;
  const writes: ControlWrite[] = [];
  const add = (controller: WantedController, file: string, value: unknown): void => {
    writes.push({ controller, file, text: String(value) });
  };
  if (memoryHigh !== null) add('memory', 'memory.high', memoryHigh);
  if (memoryMax !== null) add('memory', 'memory.max', memoryMax);
  if (memoryOomGroup) add('memory', 'memory.oom.group', 1);
  if (cpuQuota !== null) add('cpu', 'cpu.max', `${cpuQuota.quotaUsec} ${cpuQuota.periodUsec}`);
  if (pidsMax !== null) add('pids', 'pids.max', pidsMax);
  for (const { device, ...rates } of ioMax) {
    const given = Object.entries(rates).filter(([, rate]) => rate !== null);
    add('io', 'io.max', [device, ...given.map(([key, rate]) => `${key}=${rate}`)].join(' '));
  }
  return writes;
}

function checkQuota(quota: CpuQuota): { quotaUsec: bigint; periodUsec: bigint } {
  assertOptions('limits.cpuQuota', quota, CPU_QUOTA);
  const quotaUsec = wholeNumber('limits.cpuQuota.quotaUsec', quota.quotaUsec);
  if (quotaUsec < MIN_USEC || quotaUsec > MAX_LIMIT) {
    throw outOfRange('limits.cpuQuota.quotaUsec', quotaUsec, `must be at least ${MIN_USEC}`);
  }
  const { periodUsec: given } = quota;
  const periodUsec =
    given === undefined ? DEFAULT_PERIOD_USEC : wholeNumber('limits.cpuQuota.periodUsec', given);
  if (periodUsec < MIN_USEC || periodUsec > MAX_PERIOD_USEC) {
    const why = `must be from ${MIN_USEC} to ${MAX_PERIOD_USEC}`;
    throw outOfRange('limits.cpuQuota.periodUsec', periodUsec, why);
  }
  return { quotaUsec, periodUsec };
}

function checkIoMax(limit: IoMax, at: number): CheckedIoMax {
  const name = `limits.ioMax[${at}]`;
  assertOptions(name, limit, IO_MAX);
  if (typeof limit.device !== 'string' || !DEVICE.test(limit.device)) {
    throw invalidConfig(`${name}.device must be MAJOR:MINOR, as io.stat has it`);
  }
  const rates = {
    rbps: positive(`${name}.readBytesPerSec`, limit.readBytesPerSec),
    wbps: positive(`${name}.writeBytesPerSec`, limit.writeBytesPerSec),
    riops: positive(`${name}.readOpsPerSec`, limit.readOpsPerSec),
    wiops: positive(`${name}.writeOpsPerSec`, limit.writeOpsPerSec),
  };
  if (Object.values(rates).every((rate) => rate === null)) {
    throw invalidConfig(`${name} limits nothing of ${limit.device}`);
  }
  return { device: limit.device, ...rates };
}

/** Refuses 0, which would mean “nothing at all” here and “unlimited” elsewhere. */
function positive(name: string, value: number | bigint | undefined): bigint | null {
  if (value === undefined) return null;
  const whole = wholeNumber(name, value);
  if (whole < 1n || whole > MAX_LIMIT) throw outOfRange(name, value, 'must be from 1 to 2^63−1');
  return whole;
}
