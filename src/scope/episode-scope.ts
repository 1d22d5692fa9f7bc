/** Scopes of episodes: by systemd where it may be asked, else by direct writes. */
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
/** `auto`: systemd where it can be asked, else direct writes. */
export type ScopeStrategyChoice = (typeof SCOPE_STRATEGIES)[number];

export interface ScopePlaceOptions {
  /** The cgroup in which the slice is made, by direct writes. By default where this process may. */
  readonly root?: string | undefined;
  /** `episcope.slice` by default. A dash in its name is a level, as systemd has it: `my-jobs.slice` lies in `my.slice`. */
  readonly slice?: string | undefined;
}

export interface ScopeOptions extends ScopePlaceOptions {
  readonly strategy?: ScopeStrategyChoice | undefined;
  /** ms until the scope must be there, and what is started in it must run; 25,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** Aborted, the scope is undone, and the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface RemoveScopeOptions extends ScopePlaceOptions, ScopeRemoveOptions {}

/** The names of what `createEpisodeScope` takes. */
export const SCOPE_OPTIONS: OptionKeys<ScopeOptions> = {
  root: true,
  slice: true,
  strategy: true,
  timeoutMs: true,
  signal: true,
};
const REMOVE_SCOPE: OptionKeys<RemoveScopeOptions> = { ...REMOVE_OPTIONS, root: true, slice: true };

/** As D-Bus gives a call. */
export const DEFAULT_START_MS = 25_000;

/** What is to be made, checked. */
export interface ScopeRequest {
  readonly id: string;
  readonly limits: CheckedLimits;
  readonly root: string | null;
  readonly slice: string;
  readonly strategy: ScopeStrategyChoice;
  readonly timeoutMs: number;
  /** In `performance.now()` ms: `timeoutMs` from when it was asked for. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  /** Controllers that it must have whatever the limits need. */
  readonly needs?: readonly string[] | undefined;
}

/**
 * Makes a scope for an episode and moves the process `pid` into it. What that process has forked before stays where it
 * is; `spawnInScope` starts a command inside from its first instruction on.
 *
 * By systemd's manager first (`StartTransientUnit`: that of the system as root, else the user's), by direct writes
 * where no manager can be asked, refuses, or a `root` is given. With direct writes a process that runs already is
 * frozen for the moment of its move where there are limits. Kept limits are the kernel's: `memory.max`, `memory.high`,
 * `cpu.max` (systemd rounds a quota up to 10 ms in each second), `pids.max`, `io.max`.
 *
 * A failure leaves nothing behind: no cgroup, no frozen process, the process back where it was (as far as this user
 * may put it there). Throws `ERR_INVALID_EPISODE_ID`, `ERR_INVALID_PID`, `ERR_INVALID_CONFIG`, `ERR_OUT_OF_RANGE`,
 * `CgroupError` `ERR_SCOPE_EXISTS`, `ERR_SCOPE_CREATE`, `ERR_CONTROLLER_NOT_ENABLED` (of a limit),
 * `ERR_CGROUP_WRITE`, `ERR_CGROUP_PATH`, `ERR_NOT_CGROUP2`, `ERR_CGROUP_NOT_AVAILABLE`, and `ProcError`
 * `ERR_PROC_GONE` where the process is dead, before or after the move.
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
 * Removes the scope of this id, whoever made it, and waits until it is gone: by the manager where it is systemd's.
 * `kill` ends what lives in it first. Throws `CgroupError` `ERR_SCOPE_NOT_FOUND`, `ERR_SCOPE_BUSY`,
 * `ERR_INVALID_CONFIG` (`kill` where this very process lives in it), and what a wrong id, root, slice or time gives.
 */
export async function removeEpisodeScope(
  id: string,
  options: RemoveScopeOptions = {},
): Promise<void> {
  const { root, slice } = checkPlace(id, options, REMOVE_SCOPE);
  const removal = removeOptions(options, REMOVE_SCOPE);
  const parents = root === null ? directParents() : [root];
  if (root === null && enclosingScope() !== null) {
    // Our own come first: outside there may be another of the same id.
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

/** Throws what the docs of `createEpisodeScope` name, before anything is made. */
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

/** systemd's cgroups lie at the mount. */
function isForSystemd(root: string | null): boolean {
  return root === null || root === findCgroup2Mount();
}

/** The scope, or why systemd does not make it. Throws where nobody else may be asked. */
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
      // systemd may well be there: who cannot ask it does not go elsewhere.
      if (errno !== null) throw noSystemd(id, cause.message, cause, errno);
      if (strategy === 'systemd') throw noSystemd(id, cause.message, cause);
      return cause.message;
    }
  }
  if (strategy === 'systemd') throw noSystemd(id, why);
  return why;
}

/** null: it may be asked. */
export function whyNotSystemd({ strategy, root }: ScopeRequest): string | null {
  if (strategy === 'direct') return 'asked for direct writes';
  if (strategy === 'auto' && root !== null) return 'a root was given';
  const enclosing = root === null ? enclosingScope() : null;
  if (enclosing !== null)
    return `its scope would lie beside ${enclosing}, in which this process lives`;
  // The manager would take a number of ours for one of another pid namespace, and move a stranger.
  return whyForeignProc() ?? whyNoBus(busKind());
}

function noSystemd(id: string, why: string, cause?: unknown, errno?: string): CgroupError {
  const message = `systemd cannot make a scope for ${id}: ${why}`;
  return new CgroupError('ERR_SCOPE_CREATE', message, { cause, errno });
}

export interface DirectOptions {
  readonly pid?: number;
  /** Why not by systemd. */
  readonly whyNot: string;
}

/**
 * In the first place that serves. A place that lacks what the limits need is passed over; where none serves, the
 * error says why each does not.
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
      // Elsewhere there is no more of what is short, nor is there more time.
      const isPlaces = !isShortage(cause.errno) && cause.errno !== 'ETIMEDOUT';
      if (root !== null || !isPlaces) throw cause;
      reasons.push(cause);
    }
  }
  throw noPlace(id, reasons, options.whyNot);
}

/** Elsewhere it may be otherwise. */
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

/** The episode's scope that this process lives in, beneath which its own are made. */
function enclosingScope(): string | null {
  return hostFacts().scopes.enclosing;
}

/** Above the scope that we live in, from the top. */
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

/** ms until a place is looked through again: who makes many scopes does not look through all of them for each. */
const CLEAN_EVERY_MS = 1_000;
const cleanedAt = new Map<string, number>();

/** What dead owners left is removed by the next that makes a scope there. */
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

/** What others left may hang in the kernel: it is waited for this long, and removed in the background then. */
const CLEAN_WAIT_MS = 2_000;

function cleanWithin(request: ScopeRequest): Promise<StaleScope[]> {
  return untilCleaned(clean(request), request);
}

/** What was cleaned; nothing where that takes too long. Throws the reason of an aborted signal, and what cleaning does. */
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

/** systemd forgets a unit a moment after its cgroup is gone. */
const FORGET_TRIES = 50;
const FORGET_PAUSE_MS = 20;

/** Once more where the name was taken by what a dead owner left. */
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

/** Whether a dead owner's scope had the name, and is gone. */
async function cleanName(request: ScopeRequest): Promise<boolean> {
  const name = scopeName(request.id);
  const removed = await cleanWithin(request);
  return removed.some(
    ({ cgroupPath, error }) => error === null && posix.basename(cgroupPath) === name,
  );
}
