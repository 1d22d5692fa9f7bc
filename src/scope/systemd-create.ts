/** Creates a scope through a systemd manager. */
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, type Wait, within } from '../async/within.js';
import { scopeName } from '../episode/cgroup-path.js';
import { CgroupError, ProcError } from '../error/index.js';
import { cgroupDirectoryOf, findCgroup2Mount } from '../host/index.js';
import { directories } from '../kernel/directories.js';
import {
  BusError,
  BusUnavailable,
  ManagerTimeout,
  type StartedJob,
  SystemdManager,
} from '../systemd/index.js';
import { type CheckedLimits, controlWrites } from './limits.js';
import { currentOwner, formatOwner } from './owner.js';
import { PinnedCgroup, using, writeError } from './pinned-cgroup.js';
import { evacuate, processGone, starttimeOf } from './process.js';
import { REMOVE_TIMEOUT_MS } from './remove.js';
import { UNDO_WAIT_MS } from './spare-descriptors.js';
import { SystemdScope } from './systemd-scope.js';
import { assertSameCgroups, busKind, cgroupOfUnit, isNoSuchUnit, scopeProperties } from './unit.js';

/** The steps, in this order. */
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

/** Errors of the bus that refuse this caller; another manager or direct writes may still work. */
const REFUSALS = [
  'org.freedesktop.DBus.Error.AccessDenied',
  'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired',
  'org.freedesktop.DBus.Error.AuthFailed',
  'org.freedesktop.DBus.Error.ServiceUnknown',
  'org.freedesktop.DBus.Error.NameHasNoOwner',
  'org.freedesktop.DBus.Error.Spawn.ChildExited',
];
const UNIT_EXISTS = 'org.freedesktop.systemd1.UnitExists';

/**
 * Makes the manager create the scope with `pid` in it, and waits until it has.
 *
 * On failure, the process is back where it was as far as we may move it, and the unit is stopped.
 *
 * Throws `BusUnavailable` if no manager accepts the request, `ERR_SCOPE_EXISTS`, `ERR_PROC_GONE`,
 * `ERR_CONTROLLER_NOT_ENABLED`, or `ERR_SCOPE_CREATE`; `signal.reason` if `signal` was aborted.
 */
export async function createSystemdScope(
  id: string,
  options: SystemdOptions,
): Promise<SystemdScope> {
  const { pid } = options;
  const starttime = starttimeOf(pid);
  const origin = cgroupDirectoryOf(pid);
  const manager = await acquire(options).catch((cause: unknown) => {
    throw asScopeError(cause, id, pid);
  });
  let cgroup: PinnedCgroup | null = null;
  let job: StartedJob | null = null;
  const step = (name: SystemdStep): void => {
    options.signal?.throwIfAborted();
    options.onStep?.(name);
  };
  try {
    await assertSameCgroups(manager, options);
    step('start-unit');
    job = startUnit(manager, id, options);
    const result = await job.done;
    if (result !== 'done') throw notStarted(id, pid, result);
    step('find-cgroup');
    cgroup = await cgroupOfUnit(manager, scopeName(id), options);
    step('check-alive');
    if (starttimeOf(pid) !== starttime) throw processGone(pid);
    if (cgroup === null) throw withoutCgroup(id);
    step('check-limits');
    await checkLimits(cgroup, options);
    step('mark');
    // Without the addon it cannot be marked; the manager removes it by itself when its processes have ended.
    cgroup.setOwnerMark(formatOwner(currentOwner()));
    options.signal?.throwIfAborted();
    return new SystemdScope(id, cgroup, manager);
  } catch (cause) {
    const undone = job === null ? Promise.resolve() : undo(manager, id, origin, job);
    // We wait no longer than that for a manager that does not answer; the undoing continues on its own.
    await atMost(
      UNDO_WAIT_MS,
      undone.finally(() => manager.release()),
    );
    throw asScopeError(cause, id, pid);
  } finally {
    cgroup?.close();
  }
}

/** A connection that arrives too late is released again. */
async function acquire(wait: Wait): Promise<SystemdManager> {
  const acquired = SystemdManager.acquire(busKind());
  try {
    return await within(
      wait,
      () => acquired,
      () => new ManagerTimeout('systemd did not answer in time'),
    );
  } catch (cause) {
    acquired.then(
      (manager) => manager.release(),
      () => {},
    );
    throw cause;
  }
}

function startUnit(
  manager: SystemdManager,
  id: string,
  { pid, slice, limits, deadline, signal }: SystemdOptions,
): StartedJob {
  const properties = scopeProperties({ id, pid, slice, limits });
  return manager.startTransientUnit(scopeName(id), properties, { deadline, signal });
}

function notStarted(id: string, pid: number, result: string): CgroupError {
  starttimeOf(pid);
  return new CgroupError(
    'ERR_SCOPE_CREATE',
    `systemd could not start ${scopeName(id)} (${result})`,
  );
}

/** The error for a living process to which systemd assigned no cgroup, or one that does not exist. */
function withoutCgroup(id: string): CgroupError {
  const unit = scopeName(id);
  return new CgroupError('ERR_SCOPE_CREATE', `systemd started ${unit}, but it has no cgroup`);
}

/** A manager that lacks a controller starts the unit nevertheless, and limits nothing. */
async function checkLimits(
  cgroup: PinnedCgroup,
  { limits, needs = [], deadline, signal }: SystemdOptions,
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
  const errno = await within(
    { deadline, signal },
    () => cgroup.write('memory.oom.group', '1'),
    () => writeError(cgroup, 'memory.oom.group', '1', 'ETIMEDOUT'),
  );
  if (errno !== null) throw writeError(cgroup, 'memory.oom.group', '1', errno);
}

/** Removes everything and moves the process back; if we may not move it, it stays in a scope that systemd abandoned. */
async function undo(
  manager: SystemdManager,
  id: string,
  origin: string | null,
  job: StartedJob,
): Promise<void> {
  const unit = scopeName(id);
  const wait = { deadline: performance.now() + REMOVE_TIMEOUT_MS };
  try {
    // Not accepted: a unit of this name belongs to another owner.
    // If the manager does not answer in time, the unit is not assumed to be ours either.
    const notSaid = () => new ManagerTimeout('systemd did not answer in time');
    if (!(await within(wait, () => job.accepted, notSaid))) return;
    await untilNoJob(manager, unit, wait);
    const cgroup = await cgroupOfUnit(manager, unit, wait);
    const isEmpty = cgroup === null || (await using(cgroup, () => putBack(cgroup, origin)));
    if (isEmpty) await manager.stopUnit(unit, wait);
    else await manager.abandonScope(unit, wait);
    await manager.unrefUnit(unit, wait);
  } catch {
    // The unit or the manager is already gone; the reported failure is the one that led here.
  }
}

/** An abandoned start may still happen: a process that it moves after our check would be stopped with the unit. */
async function untilNoJob(manager: SystemdManager, unit: string, wait: Wait): Promise<void> {
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
    const job = await manager.unitProperty(unit, 'Unit', 'Job', wait);
    if (!Array.isArray(job) || job[0] === 0) return;
    await sleep(pauseMs);
  }
}

/** Moves the processes back. Returns whether the cgroup is empty. */
async function putBack(cgroup: PinnedCgroup, origin: string | null): Promise<boolean> {
  const root = PinnedCgroup.open(findCgroup2Mount() ?? '', directories());
  await using(root, () => evacuate(cgroup, origin, root));
  return cgroup.pids().length === 0;
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
  if (isNoSuchUnit(cause) || /no such process|ProcessIdUnknown/i.test(cause.message)) {
    return new ProcError('ERR_PROC_GONE', `process ${pid} is gone`, {
      file: `/proc/${pid}`,
      cause,
    });
  }
  return new CgroupError('ERR_SCOPE_CREATE', `systemd refused ${scopeName(id)}: ${cause.message}`, {
    cause,
  });
}
