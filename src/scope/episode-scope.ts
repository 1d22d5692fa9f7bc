/** Scopes of episodes, created by systemd if it can be used, else by direct writes. */
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Wait, within } from '../async/within.js';
import { DEFAULT_SLICE, episodeCgroupPath, scopeName } from '../episode/cgroup-path.js';
import { assertEpisodeId } from '../episode/id.js';
import {
  assertOneOf,
  assertOptions,
  assertPath,
  assertSignal,
  CgroupError,
  finiteNumber,
  invalidConfig,
  type OptionKeys,
  TelemetryError,
} from '../error/index.js';
import { ancestry, findCgroup2Mount, hostFacts, whyNoCgroup2 } from '../host/index.js';
import { isShortage, shortageOf } from '../kernel/errno.js';
import { whyForeignProc } from '../kernel/procfs.js';
import { BusUnavailable, whyNoBus } from '../systemd/index.js';
import { createScope } from './create.js';
import { type CheckedLimits, checkLimits, type OsResourceLimits } from './limits.js';
import { removeScope } from './remove.js';
import {
  notFound,
  REMOVE_OPTIONS,
  removeOptions,
  Scope,
  type ScopeRemoveOptions,
} from './scope.js';
import { keepingSpare } from './spare-descriptors.js';
import { cleanStaleScopes, placesToClean, type StaleScope } from './stale.js';
import { createSystemdScope } from './systemd-create.js';
import { removeSystemdScope } from './systemd-remove.js';
import { busKind } from './unit.js';

export const SCOPE_STRATEGIES = ['auto', 'systemd', 'direct'] as const;
/** `auto`: systemd if it can be used, else direct writes. */
export type ScopeStrategyChoice = (typeof SCOPE_STRATEGIES)[number];

export interface ScopePlaceOptions {
  /** The cgroup in which direct writes create the slice. By default, one in which this process may do so. */
  readonly root?: string | undefined;
  /** `episcope.slice` by default. A dash in its name is a level, as in systemd: `my-jobs.slice` lies in `my.slice`. */
  readonly slice?: string | undefined;
}

export interface ScopeOptions extends ScopePlaceOptions {
  readonly strategy?: ScopeStrategyChoice | undefined;
  /** ms until the scope must exist and the command that is started in it must run; 25,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** If it is aborted, the scope is undone and the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface RemoveScopeOptions extends ScopePlaceOptions, ScopeRemoveOptions {}

/** The names of the options of `createEpisodeScope`. */
export const SCOPE_OPTIONS: OptionKeys<ScopeOptions> = {
  root: true,
  slice: true,
  strategy: true,
  timeoutMs: true,
  signal: true,
};
const REMOVE_SCOPE: OptionKeys<RemoveScopeOptions> = { ...REMOVE_OPTIONS, root: true, slice: true };

/** The default timeout of a D-Bus call. */
export const DEFAULT_START_MS = 25_000;

/** A checked request for a scope. */
export interface ScopeRequest {
  readonly id: string;
  readonly limits: CheckedLimits;
  readonly root: string | null;
  readonly slice: string;
  readonly strategy: ScopeStrategyChoice;
  readonly timeoutMs: number;
  /** In `performance.now()` ms: `timeoutMs` after the request. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  /** Controllers that it must have in addition to those that the limits need. */
  readonly needs?: readonly string[] | undefined;
}

/**
 * Creates a scope for an episode and moves the process `pid` into it. Children that the process forked before stay
 * where they are; `spawnInScope` starts a command inside from its first instruction on.
 *
 * Tries systemd's manager first (`StartTransientUnit`; as root the system's, else the user's), then direct writes if no
 * manager can be reached, it refuses, or a `root` is given. With direct writes and limits, a process that already runs
 * is frozen while it is moved. The kernel enforces the limits: `memory.max`, `memory.high`, `cpu.max` (systemd rounds a
 * quota up to 10 ms in each second), `pids.max`, `io.max`.
 *
 * A failure leaves nothing behind: no cgroup, no frozen process, the process back where it was (as far as this user
 * may move it there). Throws `ERR_INVALID_EPISODE_ID`, `ERR_INVALID_PID`, `ERR_INVALID_CONFIG`, `ERR_OUT_OF_RANGE`,
 * `CgroupError` `ERR_SCOPE_EXISTS`, `ERR_SCOPE_CREATE`, `ERR_CONTROLLER_NOT_ENABLED` (of a limit),
 * `ERR_CGROUP_WRITE`, `ERR_CGROUP_PATH`, `ERR_NOT_CGROUP2`, `ERR_CGROUP_NOT_AVAILABLE`, and `ProcError`
 * `ERR_PROC_GONE` if the process is dead, before or after the move.
 */
export async function createEpisodeScope(
  id: string,
  pid: number,
  limits: OsResourceLimits = {},
  options: ScopeOptions = {},
): Promise<Scope> {
  const request = checkRequest(id, limits, options);
  if (!Number.isInteger(pid) || pid < 1 || pid > 2 ** 31 - 1) {
    throw new TelemetryError(
      'ERR_INVALID_PID',
      `a pid is a whole number from 1, not ${typeof pid === 'number' ? pid : typeof pid}`,
    );
  }
  return keepingSpare(async () => {
    await cleanNowAndThen(request);
    const whyNot = await trySystemd(request, pid);
    if (whyNot instanceof Scope) return whyNot;
    return makeDirectScope(request, { pid, whyNot });
  });
}

/**
 * Removes the scope of this id, even if another process created it, and waits until it is gone. Uses the manager if the
 * scope is systemd's. `kill` first kills the processes in it. Throws `CgroupError` `ERR_SCOPE_NOT_FOUND`,
 * `ERR_SCOPE_BUSY`, `ERR_INVALID_CONFIG` (`kill` if this process is in it), and the errors of a wrong id, root, slice
 * or timeout.
 */
export async function removeEpisodeScope(
  id: string,
  options: RemoveScopeOptions = {},
): Promise<void> {
  const { root, slice } = checkPlace(id, options, REMOVE_SCOPE);
  const removal = removeOptions(options, REMOVE_SCOPE);
  const parents = root === null ? directParents() : [root];
  if (root === null && enclosingScope() !== null) {
    // Our own places come first: there may be another scope of the same id outside.
    for (const parent of parents) if (await removeScope({ id, parent, slice }, removal)) return;
    parents.splice(0, parents.length, ...outerParents());
  }
  if (isForSystemd(root) && whyNoBus(busKind()) === null) {
    try {
      if (await removeSystemdScope(id, options.slice, removal)) return;
    } catch (cause) {
      if (!(cause instanceof BusUnavailable)) throw cause;
    }
  }
  for (const parent of parents) {
    if (await removeScope({ id, parent, slice }, removal)) return;
  }
  const why = root === null ? whyNoCgroup2() : null;
  if (why !== null) throw noScopes(why);
  throw notFound(episodeCgroupPath(id, parents[0] ?? findCgroup2Mount() ?? undefined, slice));
}

/** Throws the argument errors of `createEpisodeScope`, before anything is created. */
export function checkRequest(
  id: string,
  limits: OsResourceLimits,
  options: ScopeOptions,
): ScopeRequest {
  const place = checkPlace(id, options, SCOPE_OPTIONS);
  assertOneOf('strategy', options.strategy, SCOPE_STRATEGIES);
  const { strategy = 'auto', signal } = options;
  if (strategy === 'systemd' && place.root !== null && !isForSystemd(place.root)) {
    throw invalidConfig('systemd has its own root: leave root out, or use the strategy direct');
  }
  assertSignal(signal);
  signal?.throwIfAborted();
  const timeoutMs = checkTimeout(options.timeoutMs);
  const deadline = performance.now() + timeoutMs;
  return { id, limits: checkLimits(limits), ...place, strategy, timeoutMs, deadline, signal };
}

function checkPlace<T extends ScopePlaceOptions>(
  id: string,
  options: T,
  keys: OptionKeys<T>,
): { readonly root: string | null; readonly slice: string } {
  assertEpisodeId(id);
  assertOptions('options', options, keys);
  assertPath('root', options.root);
  const { root, slice = DEFAULT_SLICE } = options;
  episodeCgroupPath(id, root, slice);
  return { root: root === undefined ? null : root.replace(/\/+$/, ''), slice };
}

function checkTimeout(timeoutMs: number | undefined): number {
  return timeoutMs === undefined ? DEFAULT_START_MS : finiteNumber('timeoutMs', timeoutMs);
}

/** Whether `root` is null or the mount point, where systemd's cgroups lie. */
function isForSystemd(root: string | null): boolean {
  return root === null || root === findCgroup2Mount();
}

/** Returns the scope, or why systemd does not create it. Throws if direct writes must not be tried instead. */
export async function trySystemd(request: ScopeRequest, pid: number): Promise<Scope | string> {
  const { id, strategy } = request;
  const why = whyNotSystemd(request);
  if (why === null) {
    try {
      return new Scope(
        await reclaiming(request, () => createSystemdScope(id, { ...request, pid })),
      );
    } catch (cause) {
      if (!(cause instanceof BusUnavailable)) throw cause;
      const errno = shortageOf(cause.cause);
      // systemd may well be available: for want of descriptors or memory, direct writes are not tried instead.
      if (errno !== null) throw noSystemd(id, cause.message, cause, errno);
      if (strategy === 'systemd') throw noSystemd(id, cause.message, cause);
      return cause.message;
    }
  }
  if (strategy === 'systemd') throw noSystemd(id, why);
  return why;
}

/** Returns null if systemd may be used, else the reason. */
export function whyNotSystemd({ strategy, root }: ScopeRequest): string | null {
  if (strategy === 'direct') return 'asked for direct writes';
  if (strategy === 'auto' && root !== null) return 'a root was given';
  const enclosing = root === null ? enclosingScope() : null;
  if (enclosing !== null)
    return `its scope would lie beside ${enclosing}, in which this process lives`;
  // The manager would interpret our pid in another pid namespace, and move an unrelated process.
  return whyForeignProc() ?? whyNoBus(busKind());
}

function noSystemd(id: string, why: string, cause?: unknown, errno?: string): CgroupError {
  const message = `systemd cannot make a scope for ${id}: ${why}`;
  return new CgroupError('ERR_SCOPE_CREATE', message, { cause, errno });
}

export interface DirectOptions {
  readonly pid?: number;
  /** Why systemd is not used. */
  readonly whyNot: string;
}

/**
 * Creates the scope in the first suitable place. A place that lacks what the limits need is skipped; if none is
 * suitable, the error gives the reason for each.
 */
export async function makeDirectScope(
  request: ScopeRequest,
  options: DirectOptions,
): Promise<Scope> {
  const { id, root } = request;
  const parents = root === null ? directParents() : [root];
  const reasons: CgroupError[] = [];
  for (const parent of parents) {
    try {
      return new Scope(
        await reclaiming(request, () => createScope(id, parent, { ...request, ...options })),
      );
    } catch (cause) {
      if (!(cause instanceof CgroupError) || !IS_ABOUT_PLACE.includes(cause.code)) throw cause;
      // Another place would have no more of a scarce resource, and no more time.
      const isPlaces = !isShortage(cause.errno) && cause.errno !== 'ETIMEDOUT';
      if (root !== null || !isPlaces) throw cause;
      reasons.push(cause);
    }
  }
  throw noPlace(id, reasons, options.whyNot);
}

/** Errors that may not occur in another place. */
const IS_ABOUT_PLACE = ['ERR_SCOPE_CREATE', 'ERR_CONTROLLER_NOT_ENABLED', 'ERR_CGROUP_WRITE'];

function noPlace(id: string, reasons: readonly CgroupError[], whyNot: string): CgroupError {
  const { scopes, noCgroup2 } = hostFacts();
  if (noCgroup2 !== null) return noScopes(noCgroup2);
  const [first] = reasons;
  const refused = scopes.refused.map(({ directory, reason }) => `${directory}: ${reason}`);
  const why = [...reasons.map(({ message }) => message), ...refused, `not by systemd: ${whyNot}`];
  const code = first?.code ?? 'ERR_SCOPE_CREATE';
  return new CgroupError(code, `no scope can be made for ${id}: ${why.join('; ')}`, {
    errno: first?.errno ?? (refused.length > 0 ? 'EACCES' : undefined),
    file: first?.file ?? scopes.refused[0]?.directory,
    cause: first,
  });
}

/** The episode's scope that this process runs in, beneath which its own scopes are created. */
function enclosingScope(): string | null {
  return hostFacts().scopes.enclosing;
}

/** The parents above the scope that we run in, from the top. */
function outerParents(): string[] {
  const { cgroup2, scopes } = hostFacts();
  if (cgroup2 === null || scopes.enclosing === null) return [];
  return ancestry(cgroup2.mountPoint, posix.dirname(scopes.enclosing));
}

function noScopes(why: string): CgroupError {
  return new CgroupError(
    'ERR_CGROUP_NOT_AVAILABLE',
    `scopes can be neither made nor found: ${why}`,
  );
}

function directParents(): string[] {
  return hostFacts().scopes.places.map(({ parent }) => parent);
}

/** ms until a place is searched again, so that a process that creates many scopes does not search it for each. */
const CLEAN_EVERY_MS = 1_000;
const cleanedAt = new Map<string, number>();

/** Removes what dead owners left in the place where a scope is about to be created. */
export async function cleanNowAndThen(request: ScopeRequest): Promise<void> {
  const place = `${request.root ?? ''}/${request.slice}`;
  const last = cleanedAt.get(place) ?? Number.NEGATIVE_INFINITY;
  if (performance.now() - last < CLEAN_EVERY_MS) return;
  cleanedAt.set(place, performance.now());
  try {
    await cleanWithin(request);
  } catch (cause) {
    cleanedAt.delete(place);
    throw cause;
  }
}

/** Leftovers may hang in the kernel: we wait this long, and then their removal continues in the background. */
const CLEAN_WAIT_MS = 2_000;

function cleanWithin(request: ScopeRequest): Promise<StaleScope[]> {
  return untilCleaned(clean(request), request);
}

/** Returns what was cleaned; nothing if it takes too long. Throws an aborted signal's reason, and cleaning's errors. */
export async function untilCleaned(
  cleaning: Promise<StaleScope[]>,
  { deadline = Number.POSITIVE_INFINITY, signal }: Partial<Wait>,
): Promise<StaleScope[]> {
  const tooLong = new Error('cleaning goes on by itself');
  const atMost = Math.min(deadline, performance.now() + CLEAN_WAIT_MS);
  try {
    return await within(
      { deadline: atMost, signal },
      () => cleaning,
      () => tooLong,
    );
  } catch (cause) {
    cleaning.catch(() => {});
    if (cause === tooLong) return [];
    throw cause;
  }
}

async function clean({ root, slice }: ScopeRequest): Promise<StaleScope[]> {
  return cleanStaleScopes(root === null ? placesToClean(hostFacts()) : [root], { slice });
}

/** systemd forgets a unit shortly after its cgroup is gone. */
const FORGET_TRIES = 50;
const FORGET_PAUSE_MS = 20;

/** Tries once more if the name was taken by a dead owner's scope. */
async function reclaiming<T>(request: ScopeRequest, make: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await make();
    } catch (cause) {
      if (!(cause instanceof CgroupError) || cause.code !== 'ERR_SCOPE_EXISTS') throw cause;
      if (tries === 0 && !(await cleanName(request))) throw cause;
      if (tries === FORGET_TRIES) throw cause;
    }
    if (tries > 0) await sleep(FORGET_PAUSE_MS);
  }
}

/** Whether a dead owner's scope had the name and has been removed. */
async function cleanName(request: ScopeRequest): Promise<boolean> {
  const name = scopeName(request.id);
  const removed = await cleanWithin(request);
  return removed.some(
    ({ cgroupPath, error }) => error === null && posix.basename(cgroupPath) === name,
  );
}
