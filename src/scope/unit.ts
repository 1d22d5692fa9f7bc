/** The systemd unit of a scope: its start properties, and its cgroup. */
import type { Wait } from '../async/within.js';
import { CgroupError } from '../error/index.js';
import { cgroup2Place } from '../host/index.js';
import { directories } from '../kernel/directories.js';
import { BusError, type BusKind, BusUnavailable, type SystemdManager } from '../systemd/index.js';
import type { UnitProperty } from '../systemd/manager.js';
import type { CheckedLimits } from './limits.js';
import { PinnedCgroup, using } from './pinned-cgroup.js';

const NO_SUCH_UNIT = 'org.freedesktop.systemd1.NoSuchUnit';

/** The bus that this process may use: the system bus as root, else its user's bus. */
export function busKind(): BusKind {
  return process.geteuid?.() === 0 ? 'system' : 'user';
}

export function isNoSuchUnit(cause: unknown): boolean {
  return cause instanceof BusError && cause.errorName === NO_SUCH_UNIT;
}

/**
 * Throws `BusUnavailable` if the manager's cgroups are not visible to us: they are in another cgroup namespace, on
 * another hierarchy, or in a part that no mount of ours shows. Scopes created there could be neither read nor ended.
 */
export async function assertSameCgroups(manager: SystemdManager, wait: Wait): Promise<void> {
  const { pid, cgroup } = await manager.place(wait);
  const own = openIfShown(`${cgroup}/init.scope`);
  if (own !== null && (await using(own, (there) => there.pids().includes(pid)))) return;
  throw new BusUnavailable('the cgroups that systemd makes are not visible from here');
}

/**
 * Opens the cgroup at the path that the manager reports (`ControlGroup`), because it must not be guessed. Returns null
 * if the unit has none, like a scope whose processes have ended, or the cgroup is gone.
 */
export async function cgroupOfUnit(
  manager: SystemdManager,
  unit: string,
  wait: Wait,
): Promise<PinnedCgroup | null> {
  const path = await manager.unitProperty(unit, 'Scope', 'ControlGroup', wait);
  return typeof path !== 'string' || path === '' ? null : openIfShown(path);
}

/** Opens every component separately; returns null if there is none, or no mount shows it. */
function openIfShown(path: string): PinnedCgroup | null {
  const place = cgroup2Place(path);
  if (place === null) return null;
  try {
    let cgroup = PinnedCgroup.open(place.mountPoint, directories());
    for (const name of place.beneath) {
      const parent = cgroup;
      try {
        cgroup = parent.child(name);
      } finally {
        parent.close();
      }
    }
    return cgroup;
  } catch (cause) {
    if (cause instanceof CgroupError && cause.code === 'ERR_CGROUP_NOT_FOUND') return null;
    throw cause;
  }
}

export interface ScopeUnit {
  readonly id: string;
  readonly pid: number;
  readonly slice: string;
  readonly limits: CheckedLimits;
}

const USEC_PER_SEC = 1_000_000n;

/** The properties of `StartTransientUnit`, by systemd's names; times in µs. */
export function scopeProperties({ id, pid, slice, limits }: ScopeUnit): UnitProperty[] {
  const { memoryMax, memoryHigh, cpuQuota, pidsMax, ioMax } = limits;
  const properties: UnitProperty[] = [
    ['Description', 's', `episcope episode ${id}`],
    ['PIDs', 'au', [pid]],
    ['Slice', 's', slice],
    // Delegates all controllers, and leaves the inside of the cgroup to us.
    ['Delegate', 'b', true],
    ['CollectMode', 's', 'inactive-or-failed'],
    // Keeps the unit after its end, so that its usage can still be read.
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
