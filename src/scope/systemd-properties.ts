/** What a transient scope is started with. Pure. */

import type { UnitProperty } from '../systemd/manager.js';
import type { CheckedLimits } from './limits.js';

export interface ScopeUnit {
  readonly id: string;
  readonly pid: number;
  readonly slice: string;
  readonly limits: CheckedLimits;
}

const USEC_PER_SEC = 1_000_000n;

/** The properties of `StartTransientUnit`, in systemd's words; times in µs. */
export function scopeProperties({ id, pid, slice, limits }: ScopeUnit): UnitProperty[] {
  const { memoryMax, memoryHigh, cpuQuota, pidsMax, ioMax } = limits;
  const properties: UnitProperty[] = [
    ['Description', 's', `episcope episode ${id}`],
    ['PIDs', 'au', [pid]],
    ['Slice', 's', slice],
    // All controllers, and the inside of the cgroup is nobody else's.
    ['Delegate', 'b', true],
    ['CollectMode', 's', 'inactive-or-failed'],
    // The unit is kept for us after its end, and tells what it used.
    ['AddRef', 'b', true],
    ['CPUAccounting', 'b', true],
    ['MemoryAccounting', 'b', true],
    ['IOAccounting', 'b', true],
    ['TasksAccounting', 'b', true],
  ];
  if (memoryMax !== null) properties.push(['MemoryMax', 't', memoryMax]);
  if (memoryHigh !== null) properties.push(['MemoryHigh', 't', memoryHigh]);
  if (cpuQuota !== null) {
    const perSec = (cpuQuota.quotaUsec * USEC_PER_SEC) / cpuQuota.periodUsec;
    properties.push(['CPUQuotaPerSecUSec', 't', perSec]);
    properties.push(['CPUQuotaPeriodUSec', 't', cpuQuota.periodUsec]);
  }
  if (pidsMax !== null) properties.push(['TasksMax', 't', pidsMax]);
  const rates = (key: 'rbps' | 'wbps' | 'riops' | 'wiops') =>
    ioMax.flatMap((limit) => {
      const rate = limit[key];
      return rate === null ? [] : [[`/dev/block/${limit.device}`, rate]];
    });
  for (const [name, key] of IO_PROPERTIES) {
    const values = rates(key);
    if (values.length > 0) properties.push([name, 'a(st)', values]);
  }
  return properties;
}

const IO_PROPERTIES = [
  ['IOReadBandwidthMax', 'rbps'],
  ['IOWriteBandwidthMax', 'wbps'],
  ['IOReadIOPSMax', 'riops'],
  ['IOWriteIOPSMax', 'wiops'],
] as const;
