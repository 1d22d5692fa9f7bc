/** Ending scopes that a systemd manager has: through the manager. */
import { constants } from 'node:os';
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Wait } from '../async/within.js';
import { scopeName } from '../episode/cgroup-path.js';
import { directories } from '../kernel/directories.js';
import { BusError, BusUnavailable, ManagerTimeout, SystemdManager } from '../systemd/index.js';
import { PinnedCgroup, using } from './pinned-cgroup.js';
import { assertNotInside } from './process.js';
import { assertEmpty, busy, killCgroup, type RemoveOptions, removeTree, waitOf } from './remove.js';
import { busKind, cgroupOfUnit, isNoSuchUnit } from './unit.js';

/**
 * Removes the scope of this id that the manager has; with a `slice` only where it lies in that. False: it has none.
 * Throws as `removeScope`, and `BusUnavailable`.
 */
export async function removeSystemdScope(
  id: string,
  slice: string | undefined,
  options: RemoveOptions,
): Promise<boolean> {
  const unit = scopeName(id);
  const wait = waitOf(options);
  return withManager(unit, async (manager) => {
    let cgroup: PinnedCgroup | null;
    try {
      cgroup = await cgroupOfUnit(manager, unit, wait);
    } catch (cause) {
      if (isNoSuchUnit(cause)) return false;
      throw cause;
    }
    if (cgroup === null) return false;
    return using(cgroup, async (there) => {
      if (slice !== undefined) {
        const itsSlice = await manager.unitProperty(unit, 'Scope', 'Slice', wait);
        if (slice !== itsSlice) return false;
      }
      await endUnit(manager, unit, there, options, wait);
      return true;
    });
  });
}

/** Ends the unit that has this very cgroup; by the kernel itself where the bus has gone since it was made. */
export async function endScope(
  unit: string,
  cgroup: PinnedCgroup,
  options: RemoveOptions,
): Promise<void> {
  const wait = waitOf(options);
  try {
    await withManager(unit, (manager) => endUnit(manager, unit, cgroup, options, wait));
  } catch (cause) {
    if (!(cause instanceof BusUnavailable)) throw cause;
    await endWithoutManager(cgroup, options);
  }
}

/** With a connection of this moment; what the manager answers instead of a result is `ERR_SCOPE_BUSY`. */
async function withManager<T>(
  unit: string,
  act: (manager: SystemdManager) => Promise<T>,
): Promise<T> {
  const manager = await SystemdManager.acquire(busKind());
  try {
    return await act(manager);
  } catch (cause) {
    if (cause instanceof ManagerTimeout) {
      throw busy(unit, 'is still there: systemd did not answer in time', 'ETIMEDOUT');
    }
    if (cause instanceof BusError) {
      throw busy(unit, `is still there: systemd refused to end it: ${cause.message}`);
    }
    throw cause;
  } finally {
    manager.release();
  }
}

async function endUnit(
  manager: SystemdManager,
  unit: string,
  cgroup: PinnedCgroup,
  options: RemoveOptions,
  wait: Wait,
): Promise<void> {
  if (options.kill) await killUnit(manager, unit, cgroup, wait);
  else assertEmpty(cgroup);
  try {
    await manager.stopUnit(unit, wait);
  } catch (cause) {
    // Empty, so the manager may have forgotten it by itself.
    if (!isNoSuchUnit(cause)) throw cause;
  }
  await removeRest(cgroup, wait);
}

async function endWithoutManager(cgroup: PinnedCgroup, options: RemoveOptions): Promise<void> {
  if (options.kill) await killCgroup(cgroup, options);
  else assertEmpty(cgroup);
  const parent = PinnedCgroup.open(posix.dirname(cgroup.path), directories());
  await using(parent, () => removeTree(parent, posix.basename(cgroup.path)));
}

/** Again and again: who forks while the manager goes through the list is missed by it. */
async function killUnit(
  manager: SystemdManager,
  unit: string,
  cgroup: PinnedCgroup,
  wait: Wait,
): Promise<void> {
  assertNotInside(cgroup, 'kill');
  for (let pauseMs = 1; cgroup.events()?.populated === true; pauseMs = Math.min(pauseMs * 2, 50)) {
    try {
      await manager.killUnit(unit, constants.signals.SIGKILL, wait);
    } catch (cause) {
      if (!(cause instanceof BusError)) throw cause;
      // It may just have ended; and as root the kernel can be asked as well.
      await cgroup.write('cgroup.kill', '1');
    }
    if (performance.now() > wait.deadline)
      throw busy(cgroup.path, 'still has processes after SIGKILL');
    await sleep(pauseMs);
  }
}

/** The manager removes the cgroup of a unit that was stopped, a moment later than it says so. */
async function removeRest(cgroup: PinnedCgroup, wait: Wait): Promise<void> {
  while (cgroup.events() !== null) {
    if (performance.now() > wait.deadline) throw busy(cgroup.path, 'was not removed by systemd');
    await sleep(2);
  }
}
