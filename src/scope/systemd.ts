/** Scopes that a systemd manager makes and removes. */
import { constants } from 'node:os';
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CgroupError, ProcError } from '../error/index.js';
import { directories } from '../host/directories.js';
import { findCgroup2Mount } from '../host/index.js';
import {
  BusError,
  type BusKind,
  BusUnavailable,
  ManagerTimeout,
  SystemdManager,
  scopeProperties,
  type Wait,
} from '../systemd/index.js';
import { type CheckedLimits, controlWrites } from './limits.js';
import { currentOwner, formatOwner } from './owner.js';
import { scopeName } from './path.js';
import { openIfThere, PinnedCgroup, using, writeError } from './pinned-cgroup.js';
import { cgroupOf, evacuate, processGone, starttimeOf } from './process.js';
import {
  assertEmpty,
  busy,
  killCgroup,
  REMOVE_TIMEOUT_MS,
  type RemoveOptions,
  removeTree,
} from './remove.js';

/** What is done, in this order. */
export const SYSTEMD_STEPS = [
  'start-unit',
  'find-cgroup',
  'check-alive',
  'check-limits',
  'mark',
] as const;
export type SystemdStep = (typeof SYSTEMD_STEPS)[number];

export interface SystemdOptions {
  readonly slice: string;
  readonly pid: number;
  readonly limits: CheckedLimits;
  readonly needs?: readonly string[] | undefined;
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  /** @internal Called before each step; what it throws is that step's failure. */
  readonly onStep?: (step: SystemdStep) => void;
}

/** Errors of the bus that say: not you. Somebody else, or another way, may be allowed. */
const REFUSALS = [
  'org.freedesktop.DBus.Error.AccessDenied',
  'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired',
  'org.freedesktop.DBus.Error.AuthFailed',
  'org.freedesktop.DBus.Error.ServiceUnknown',
  'org.freedesktop.DBus.Error.NameHasNoOwner',
  'org.freedesktop.DBus.Error.Spawn.ChildExited',
];
const UNIT_EXISTS = 'org.freedesktop.systemd1.UnitExists';
const NO_SUCH_UNIT = 'org.freedesktop.systemd1.NoSuchUnit';

/** The bus that this process may ask: that of the system as root, else that of its user. */
export function busKind(): BusKind {
  return process.geteuid?.() === 0 ? 'system' : 'user';
}

/** A scope that a manager keeps. Holds the reference to its unit until it is removed. */
export class SystemdScope {
  readonly id: string;
  readonly unit: string;
  readonly cgroupPath: string;
  readonly identity: string;
  readonly controllers: readonly string[];
  readonly #manager: SystemdManager;
  #held = true;

  constructor(id: string, cgroup: PinnedCgroup, manager: SystemdManager) {
    this.id = id;
    this.unit = scopeName(id);
    this.cgroupPath = cgroup.path;
    this.identity = cgroup.identity;
    this.controllers = cgroup.words('cgroup.controllers') ?? [];
    this.#manager = manager;
  }

  /** `CPUUsageNSec`: the cpu time of the whole scope in ns, also after its cgroup is gone; null where nobody tells. */
  async cpuUsageNs(wait: Wait): Promise<bigint | null> {
    if (!this.#held) return null;
    try {
      const value = await this.#manager.unitProperty(this.unit, 'Scope', 'CPUUsageNSec', wait);
      return typeof value === 'bigint' && value < UNKNOWN ? value : null;
    } catch {
      return null;
    }
  }

  /** As `removeScope`, by the manager. */
  async remove(options: RemoveOptions): Promise<void> {
    const wait = waitOf(options);
    const cgroup = openIfThere(this.cgroupPath, this.identity);
    if (cgroup !== null) {
      await using(cgroup, async (there) => {
        try {
          await withManager(this.unit, (manager) =>
            endUnit(manager, this.unit, there, options, wait),
          );
        } catch (cause) {
          if (!(cause instanceof BusUnavailable)) throw cause;
          await endWithoutManager(there, options);
        }
      });
    }
    if (!this.#held) return;
    this.#held = false;
    // A bus that went away has let go of it already.
    await this.#manager.unrefUnit(this.unit, wait).catch(() => {});
    this.#manager.release();
  }
}

/** What systemd tells where it does not know. */
const UNKNOWN = 2n ** 64n - 1n;

/**
 * Has the manager make the scope with `pid` in it, and waits until it has.
 *
 * On failure the process is back where it was as far as we may move it, and the unit is stopped.
 *
 * Throws `BusUnavailable` where no manager takes it, `ERR_SCOPE_EXISTS`, `ERR_PROC_GONE`,
 * `ERR_CONTROLLER_NOT_ENABLED`, or `ERR_SCOPE_CREATE`; `signal.reason` where that was aborted.
 */
export async function createSystemdScope(
  id: string,
  options: SystemdOptions,
): Promise<SystemdScope> {
  const { pid } = options;
  const starttime = starttimeOf(pid);
  const origin = cgroupOf(pid);
  const manager = await SystemdManager.acquire(busKind());
  let cgroup: PinnedCgroup | null = null;
  let started = false;
  const step = (name: SystemdStep): void => {
    options.signal?.throwIfAborted();
    options.onStep?.(name);
  };
  try {
    step('start-unit');
    started = true;
    await startUnit(manager, id, options);
    step('find-cgroup');
    cgroup = await cgroupOfUnit(manager, scopeName(id), pid, options);
    step('check-alive');
    if (starttimeOf(pid) !== starttime) throw processGone(pid);
    step('check-limits');
    await checkLimits(cgroup, options);
    step('mark');
    // Without the addon nobody can mark it; the manager removes it by itself when its processes have ended.
    cgroup.setOwnerMark(formatOwner(currentOwner()));
    options.signal?.throwIfAborted();
    return new SystemdScope(id, cgroup, manager);
  } catch (cause) {
    if (started && !isNotOurs(cause)) await undo(manager, id, origin);
    manager.release();
    throw asScopeError(cause, id, pid);
  } finally {
    cgroup?.close();
  }
}

async function startUnit(
  manager: SystemdManager,
  id: string,
  options: SystemdOptions,
): Promise<void> {
  const { pid, slice, limits } = options;
  const properties = scopeProperties({ id, pid, slice, limits });
  const result = await manager.startTransientUnit(scopeName(id), properties, options);
  if (result === 'done') return;
  starttimeOf(pid);
  throw new CgroupError('ERR_SCOPE_CREATE', `systemd could not start ${scopeName(id)} (${result})`);
}

async function cgroupOfUnit(
  manager: SystemdManager,
  unit: string,
  pid: number,
  wait: Wait,
): Promise<PinnedCgroup> {
  const path = await manager.unitProperty(unit, 'Scope', 'ControlGroup', wait);
  const mount = findCgroup2Mount();
  // A scope whose processes have ended has none any more.
  if (typeof path !== 'string' || path === '') throw processGone(pid);
  if (mount === null) throw new CgroupError('ERR_CGROUP_NOT_AVAILABLE', 'no cgroup2 is mounted');
  const cgroup = openPathIfThere(mount, path);
  if (cgroup === null) throw processGone(pid);
  return cgroup;
}

/** A manager that lacks a controller starts the unit all the same, and limits nothing. */
async function checkLimits(
  cgroup: PinnedCgroup,
  { limits, needs = [] }: SystemdOptions,
): Promise<void> {
  const present = cgroup.words('cgroup.controllers') ?? [];
  const needed = [...controlWrites(limits).map(({ controller }) => controller), ...needs];
  const missing = needed.find((controller) => !present.includes(controller));
  if (missing !== undefined) {
    throw new CgroupError(
      'ERR_CONTROLLER_NOT_ENABLED',
      `${cgroup.path} has no ${missing} controller: it is not delegated to the manager of this user (Delegate= of user@.service)`,
      { file: `${cgroup.path}/cgroup.controllers` },
    );
  }
  if (!limits.memoryOomGroup) return;
  const errno = await cgroup.write('memory.oom.group', '1');
  if (errno !== null) throw writeError(cgroup, 'memory.oom.group', '1', errno);
}

/** Nothing of it is left, and the process lives on where it was, if we may put it there. */
async function undo(manager: SystemdManager, id: string, origin: string | null): Promise<void> {
  const unit = scopeName(id);
  const wait = { deadline: performance.now() + REMOVE_TIMEOUT_MS };
  try {
    const path = await manager.unitProperty(unit, 'Scope', 'ControlGroup', wait);
    const mount = findCgroup2Mount();
    if (typeof path === 'string' && path !== '' && mount !== null) {
      const root = PinnedCgroup.open(mount, directories());
      await using(root, () =>
        using(openPath(mount, path), (cgroup) => evacuate(cgroup, origin, root)),
      );
    }
    await manager.stopUnit(unit, wait);
    await manager.unrefUnit(unit, wait);
  } catch {
    // Gone already, or the manager is: the failure that is told is the one that led here.
  }
}

/** The failure was the manager's no: there is no unit of ours. */
function isNotOurs(cause: unknown): boolean {
  return cause instanceof BusError;
}

function asScopeError(cause: unknown, id: string, pid: number): unknown {
  if (cause instanceof ManagerTimeout) {
    return new CgroupError('ERR_SCOPE_CREATE', `systemd did not start ${scopeName(id)} in time`, {
      errno: 'ETIMEDOUT',
      cause,
    });
  }
  if (!(cause instanceof BusError)) return cause;
  if (REFUSALS.includes(cause.errorName)) {
    return new BusUnavailable(`systemd refused to make the scope: ${cause.message}`, { cause });
  }
  if (cause.errorName === UNIT_EXISTS) {
    return new CgroupError('ERR_SCOPE_EXISTS', `systemd has a unit ${scopeName(id)} already`, {
      cause,
    });
  }
  if (/no such process|not a valid PID|ProcessIdUnknown/i.test(cause.message)) {
    return new ProcError('ERR_PROC_GONE', `process ${pid} is gone`, {
      file: `/proc/${pid}`,
      cause,
    });
  }
  return new CgroupError('ERR_SCOPE_CREATE', `systemd refused ${scopeName(id)}: ${cause.message}`, {
    cause,
  });
}

/**
 * Removes the scope of this id that the manager has. False: it has none. Throws as `removeScope`, and
 * `BusUnavailable`.
 */
export async function removeSystemdScope(id: string, options: RemoveOptions): Promise<boolean> {
  const unit = scopeName(id);
  const wait = waitOf(options);
  return withManager(unit, async (manager) => {
    let path: unknown;
    try {
      path = await manager.unitProperty(unit, 'Scope', 'ControlGroup', wait);
    } catch (cause) {
      if (cause instanceof BusError && cause.errorName === NO_SUCH_UNIT) return false;
      throw cause;
    }
    const mount = findCgroup2Mount();
    if (typeof path !== 'string' || path === '' || mount === null) return false;
    const cgroup = openPathIfThere(mount, path);
    if (cgroup === null) return false;
    await using(cgroup, (there) => endUnit(manager, unit, there, options, wait));
    return true;
  });
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
    if (!(cause instanceof BusError && cause.errorName === NO_SUCH_UNIT)) throw cause;
  }
  await removeRest(cgroup, wait);
}

/** The bus has gone since the scope was made: the kernel is asked itself. */
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

function waitOf({ timeoutMs = REMOVE_TIMEOUT_MS, signal }: RemoveOptions): Wait {
  return { deadline: performance.now() + timeoutMs, signal };
}

function openPathIfThere(mount: string, path: string): PinnedCgroup | null {
  try {
    return openPath(mount, path);
  } catch (cause) {
    if (cause instanceof CgroupError && cause.code === 'ERR_CGROUP_NOT_FOUND') return null;
    throw cause;
  }
}

/** The cgroup at a path of the hierarchy, every component on its own. */
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
