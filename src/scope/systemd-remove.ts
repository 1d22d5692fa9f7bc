/** Ends a systemd manager's scopes through that manager. */
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
 * Removes the manager's scope of this id; with a `slice`, only if it lies in that slice. Returns false if the manager
 * has none. Throws as `removeScope`, and `BusUnavailable`.
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

/** Ends the unit that has this very cgroup; uses the kernel directly if the bus has gone since its creation. */
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

/** Runs `act` with a fresh connection; an error reply of the manager becomes `ERR_SCOPE_BUSY`. */
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
    // It is empty, so the manager may already have forgotten it.
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

/** Kills repeatedly, because the manager misses processes that are forked while it reads the list. */
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
      // The unit may have just ended; as root, the kernel can kill it as well.
      await cgroup.write('cgroup.kill', '1');
    }
    if (performance.now() > wait.deadline)
      throw busy(cgroup.path, 'still has processes after SIGKILL');
    await sleep(pauseMs);
  }
}

/** The manager removes the cgroup of a stopped unit shortly after it reports the stop. */
async function removeRest(cgroup: PinnedCgroup, wait: Wait): Promise<void> {
  while (cgroup.events() !== null) {
    if (performance.now() > wait.deadline) throw busy(cgroup.path, 'was not removed by systemd');
    await sleep(2);
  }
}
