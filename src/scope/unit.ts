/** The cgroup of a unit that a systemd manager has. */
import { CgroupError } from '../error/index.js';
import { directories } from '../host/directories.js';
import { findCgroup2Mount } from '../host/index.js';
import type { Wait } from '../host/within.js';
import { BusError, type BusKind, type SystemdManager } from '../systemd/index.js';
import { PinnedCgroup } from './pinned-cgroup.js';

const NO_SUCH_UNIT = 'org.freedesktop.systemd1.NoSuchUnit';

/** The bus that this process may ask: that of the system as root, else that of its user. */
export function busKind(): BusKind {
  return process.geteuid?.() === 0 ? 'system' : 'user';
}

export function isNoSuchUnit(cause: unknown): boolean {
  return cause instanceof BusError && cause.errorName === NO_SUCH_UNIT;
}

/**
 * Opened at the path that the manager tells (`ControlGroup`), which is not to be guessed. null: it has none, as a scope
 * whose processes have ended, or it is gone.
 */
export async function cgroupOfUnit(
  manager: SystemdManager,
  unit: string,
  wait: Wait,
): Promise<PinnedCgroup | null> {
  const path = await manager.unitProperty(unit, 'Scope', 'ControlGroup', wait);
  const mount = findCgroup2Mount();
  if (mount === null) throw new CgroupError('ERR_CGROUP_NOT_AVAILABLE', 'no cgroup2 is mounted');
  if (typeof path !== 'string' || path === '') return null;
  try {
    return openPath(mount, path);
  } catch (cause) {
    if (cause instanceof CgroupError && cause.code === 'ERR_CGROUP_NOT_FOUND') return null;
    throw cause;
  }
}

/** Every component on its own. */
function openPath(mount: string, path: string): PinnedCgroup {
  let cgroup = PinnedCgroup.open(mount, directories());
  for (const name of path.split('/').filter(Boolean)) {
    const parent = cgroup;
    try {
      cgroup = parent.child(name);
    } finally {
      parent.close();
    }
  }
  return cgroup;
}
