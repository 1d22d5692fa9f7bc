/** Creates a scope by direct cgroup writes; every step is undone if a later one fails. */
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, within } from '../async/within.js';
import { DEFAULT_SLICE, episodeCgroupPath, scopeName } from '../episode/cgroup-path.js';
import { CgroupError, ProcError } from '../error/index.js';
import { cgroupDirectoryOf } from '../host/index.js';
import { type Directories, directories } from '../kernel/directories.js';
import { errnoOf } from '../kernel/errno.js';
import { errnoNumberOf, pathOf } from '../realm/index.js';
import { enableControllers, enableControllersAbove } from './controllers.js';
import { type CheckedLimits, checkLimits, controlWrites } from './limits.js';
import { markersIn } from './marker.js';
import { currentOwner, formatOwner } from './owner.js';
import { PinnedCgroup, writeError } from './pinned-cgroup.js';
import { evacuate, processGone, starttimeOf } from './process.js';
import { openSlice, ownMarker, removeSliceIfOurs } from './slice.js';
import { UNDO_WAIT_MS, undoing } from './spare-descriptors.js';

/** A scope that exists, and its place. */
export interface DirectScope {
  readonly id: string;
  readonly cgroupPath: string;
  /** The cgroup that holds the slice. */
  readonly parent: string;
  readonly slice: string;
  /** The identity of its cgroup: a cgroup of the same name that is created later has another. */
  readonly identity: string;
  /** The controllers that the scope actually has: `cgroup.controllers`. */
  readonly controllers: readonly string[];
  /** The marker directory in the slice, if the mark could not be an xattr. */
  readonly marker: string | null;
}

export interface CreateOptions {
  readonly slice?: string | undefined;
  /** The process to move in; it must be alive afterwards. */
  readonly pid?: number | undefined;
  readonly limits?: CheckedLimits | undefined;
  /** Controllers that the scope must have in addition to those that its limits need. */
  readonly needs?: readonly string[] | undefined;
  /** In `performance.now()` ms: the end of the wait for a step that stalls in the kernel. */
  readonly deadline?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @internal Called before each step; what it throws is that step's failure. */
  readonly onStep?: (step: CreateStep) => void;
  /** @internal */
  readonly directories?: Directories;
}

const RMDIR_TRIES = 500;
/** As in runc. */
const MOVE_TRIES = 5;
const MOVE_PAUSE_MS = 30;
/** How often a slice may vanish meanwhile because another run was the last to leave it. */
const SLICE_ATTEMPTS = 20;

/**
 * Creates `<parent>/<slice>/episode-<id>.scope`, marks it as ours, limits it, and moves `pid` in. If there are limits,
 * a process that already runs is frozen while it moves, so that it cannot outrun them; never this process itself,
 * which could not thaw itself.
 *
 * On failure, everything is as before: no cgroup, no frozen process, the process back where it was; but controllers
 * stay enabled in the ancestors.
 *
 * Throws `ERR_SCOPE_EXISTS`, `ERR_PROC_GONE`, `ERR_CONTROLLER_NOT_ENABLED`, `ERR_CGROUP_WRITE` (a limit), or
 * `ERR_SCOPE_CREATE` with the errno and the file; `signal.reason` if `signal` was aborted.
 */
export async function createScope(
  id: string,
  parent: string,
  options: CreateOptions = {},
): Promise<DirectScope> {
  const slice = options.slice ?? DEFAULT_SLICE;
  const cgroupPath = episodeCgroupPath(id, parent, slice);
  const access = options.directories ?? directories();
  const starttime = options.pid === undefined ? null : starttimeOf(options.pid);
  for (let attempt = 1; ; attempt += 1) {
    const root = PinnedCgroup.open(parent, access);
    const creation = new Creation(id, root, slice, cgroupPath, starttime, options);
    try {
      return await creation.make();
    } catch (cause) {
      const vanished = errnoOf(cause) === 'ENOENT' || isVanished(cause);
      if (!vanished || attempt === SLICE_ATTEMPTS) throw asScopeError(cause, cgroupPath);
    }
  }
}

function isVanished(cause: unknown): boolean {
  return cause instanceof CgroupError && cause.errno === 'ENOENT';
}

class Creation {
  /** The steps, in this order. `move` and the steps around it apply only with a pid. */
  static readonly steps = {
    'enable-controllers': (creation: Creation) => creation.#enableControllers(),
    'make-slice': (creation: Creation) => creation.#openSlice(),
    'make-marker': (creation: Creation) => creation.#takeMarkers(),
    'make-scope': (creation: Creation) => creation.#makeScope(),
    mark: (creation: Creation) => creation.#mark(),
    'check-type': (creation: Creation) => creation.#checkType(),
    limit: (creation: Creation) => creation.#limit(),
    freeze: (creation: Creation) => creation.#freeze(),
    move: (creation: Creation) => creation.#move(),
    'check-alive': (creation: Creation) => creation.#checkAlive(),
    thaw: (creation: Creation) => creation.#thaw(),
  };

  readonly #id: string;
  readonly #root: PinnedCgroup;
  readonly #sliceName: string;
  readonly #cgroupPath: string;
  readonly #options: CreateOptions;
  readonly #limits: CheckedLimits;
  readonly #starttime: string | null;
  /** The last step first. */
  readonly #undo: (() => Promise<unknown>)[] = [];
  #slice: PinnedCgroup | null = null;
  #scope: PinnedCgroup | null = null;
  #marker: string | null = null;

  constructor(
    id: string,
    root: PinnedCgroup,
    sliceName: string,
    cgroupPath: string,
    starttime: string | null,
    options: CreateOptions,
  ) {
    this.#id = id;
    this.#root = root;
    this.#sliceName = sliceName;
    this.#cgroupPath = cgroupPath;
    this.#options = options;
    this.#limits = options.limits ?? checkLimits();
    this.#starttime = starttime;
  }

  /** Closes everything it opened, and the root. On rejection, all steps are undone as soon as the kernel allows. */
  async make(): Promise<DirectScope> {
    const { signal, deadline = Number.POSITIVE_INFINITY } = this.#options;
    const running = this.#run();
    try {
      const made = await within(
        { deadline, signal },
        () => running,
        () => this.#late(),
      );
      this.#close();
      return made;
    } catch (cause) {
      // A stalled step must end before it can be undone.
      const undone = running
        .then(
          () => this.#undoAll(),
          () => this.#undoAll(),
        )
        .finally(() => this.#close());
      await atMost(UNDO_WAIT_MS, undone);
      throw cause;
    }
  }

  async #run(): Promise<DirectScope> {
    for (const step of CREATE_STEPS) {
      this.#checkTime();
      this.#options.onStep?.(step);
      await Creation.steps[step](this);
    }
    this.#checkTime();
    const scope = this.#made();
    return {
      id: this.#id,
      cgroupPath: this.#cgroupPath,
      parent: this.#root.path,
      slice: this.#sliceName,
      identity: scope.identity,
      controllers: scope.words('cgroup.controllers') ?? [],
      marker: this.#marker,
    };
  }

  async #undoAll(): Promise<void> {
    for (const back of this.#undo) await undoing(back);
    await undoing(() => removeSliceIfOurs(this.#root, this.#sliceName));
  }

  #close(): void {
    this.#scope?.close();
    this.#slice?.close();
    this.#root.close();
  }

  #late(): CgroupError {
    return new CgroupError('ERR_SCOPE_CREATE', `making ${this.#cgroupPath} took too long`, {
      errno: 'ETIMEDOUT',
      file: this.#cgroupPath,
    });
  }

  #checkTime(): void {
    const { signal, deadline = Number.POSITIVE_INFINITY } = this.#options;
    signal?.throwIfAborted();
    if (performance.now() >= deadline) throw this.#late();
  }

  async #enableControllers(): Promise<void> {
    await enableControllersAbove(this.#root.path, this.#options.directories ?? directories());
    await enableControllers(this.#root);
  }

  async #openSlice(): Promise<void> {
    this.#slice = await openSlice(this.#root, this.#sliceName);
  }

  /**
   * A dead owner's marker must not apply to the scope that is created now, or a cleaner would kill it. An owner that
   * cannot be checked from here may seem dead to a cleaner elsewhere; our own marker beside it prevents the kill.
   */
  async #takeMarkers(): Promise<void> {
    const slice = this.#madeSlice();
    const names = slice.childNames();
    const isTaken = names.includes(scopeName(this.#id));
    const beside = isTaken
      ? []
      : markersIn(names, currentOwner()).filter(({ id }) => id === this.#id);
    for (const { name, deadOwner } of beside) if (deadOwner !== null) await slice.remove(name);
    const isDoubted = beside.some(({ deadOwner }) => deadOwner === null);
    if (isDoubted || !this.#root.canMark) this.#makeMarker();
  }

  #makeMarker(): void {
    const slice = this.#madeSlice();
    const name = ownMarker(this.#id);
    slice.make(name);
    this.#marker = name;
    this.#undo.unshift(() => slice.remove(name));
  }

  #makeScope(): void {
    const slice = this.#madeSlice();
    const name = scopeName(this.#id);
    slice.make(name);
    this.#undo.unshift(() => this.#removeScope());
    this.#scope = slice.child(name);
  }

  /** A dying task may hold the directory for a moment. */
  async #removeScope(): Promise<void> {
    const slice = this.#madeSlice();
    for (let tries = 0; tries < RMDIR_TRIES; tries += 1) {
      if ((await slice.remove(scopeName(this.#id))) !== 'EBUSY') return;
      await sleep(2);
    }
  }

  #mark(): void {
    const owner = formatOwner(currentOwner());
    const errno = this.#made().setOwnerMark(owner);
    if (errno !== null && this.#marker === null) this.#makeMarker();
  }

  #checkType(): void {
    const type = this.#made().words('cgroup.type')?.join(' ') ?? 'domain';
    if (type === 'domain') return;
    throw new CgroupError(
      'ERR_SCOPE_CREATE',
      `${this.#cgroupPath} would be '${type}', not 'domain'`,
      {
        file: this.#cgroupPath,
      },
    );
  }

  async #limit(): Promise<void> {
    const scope = this.#made();
    const present = scope.words('cgroup.controllers') ?? [];
    const writes = controlWrites(this.#limits);
    const needed = [...writes.map(({ controller }) => controller), ...(this.#options.needs ?? [])];
    const missing = needed.find((controller) => !present.includes(controller));
    if (missing !== undefined) {
      throw new CgroupError('ERR_CONTROLLER_NOT_ENABLED', lackOf(missing, this.#root), {
        file: `${this.#root.path}/cgroup.subtree_control`,
      });
    }
    for (const { file, text } of writes) {
      const errno = await scope.write(file, text);
      if (errno !== null) throw writeError(scope, file, text, errno);
    }
  }

  /** Only a process that already runs can outrun limits, and we could not thaw ourselves. */
  get #freezes(): boolean {
    const { pid } = this.#options;
    return pid !== undefined && pid !== process.pid && controlWrites(this.#limits).length > 0;
  }

  async #freeze(): Promise<void> {
    if (!this.#freezes) return;
    this.#undo.unshift(() => this.#write('cgroup.freeze', '0'));
    await this.#write('cgroup.freeze', '1');
  }

  async #move(): Promise<void> {
    const { pid } = this.#options;
    if (pid === undefined) return;
    const origin = cgroupDirectoryOf(pid);
    // Children that it forked in the scope move back with it.
    this.#undo.unshift(() => evacuate(this.#made(), origin, this.#root));
    for (let tries = 1; ; tries += 1) {
      const errno = await this.#made().write('cgroup.procs', String(pid));
      if (errno === null) return;
      if (errno === 'ESRCH') throw processGone(pid);
      // A task that is still being created cannot be moved yet.
      if (errno !== 'EINVAL' || tries === MOVE_TRIES) {
        throw writeError(this.#made(), 'cgroup.procs', String(pid), errno);
      }
      await sleep(MOVE_PAUSE_MS);
    }
  }

  /** A zombie can be moved without an error, and the pid may belong to another process by now. */
  #checkAlive(): void {
    const { pid } = this.#options;
    if (pid === undefined) return;
    if (starttimeOf(pid) !== this.#starttime) throw processGone(pid);
  }

  async #thaw(): Promise<void> {
    if (this.#freezes) await this.#write('cgroup.freeze', '0');
  }

  async #write(file: string, text: string): Promise<void> {
    const errno = await this.#made().write(file, text);
    if (errno !== null) throw writeError(this.#made(), file, text, errno);
  }

  #madeSlice(): PinnedCgroup {
    if (this.#slice === null) throw new Error('the slice is made first');
    return this.#slice;
  }

  #made(): PinnedCgroup {
    if (this.#scope === null) throw new Error('the scope is made first');
    return this.#scope;
  }
}

export type CreateStep = keyof typeof Creation.steps;
export const CREATE_STEPS = Object.keys(Creation.steps) as readonly CreateStep[];

function lackOf(controller: string, root: PinnedCgroup): string {
  const available = root.words('cgroup.controllers') ?? [];
  const why = available.includes(controller)
    ? `it may not be enabled for the children of ${root.path} (processes live in it, or its cgroup.subtree_control is not ours to write)`
    : `${root.path} has no such controller: it is not delegated, or cgroup v1 holds it`;
  return `the scope would have no ${controller} controller: ${why}`;
}

function asScopeError(cause: unknown, cgroupPath: string): unknown {
  if (cause instanceof CgroupError || cause instanceof ProcError) return cause;
  const errno = errnoOf(cause);
  // The scope exists, or our own marker for it.
  if (errno === 'EEXIST') {
    return new CgroupError('ERR_SCOPE_EXISTS', `there is already a scope at ${cgroupPath}`, {
      errno,
      file: cgroupPath,
      cause,
    });
  }
  if (errnoNumberOf(cause) === null) return cause;
  const path = pathOf(cause) ?? cgroupPath;
  return new CgroupError('ERR_SCOPE_CREATE', `cannot make ${path} (${errno})`, {
    errno,
    file: path,
    cause,
  });
}
