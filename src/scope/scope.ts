/** A scope, as its creator uses it. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  assertBoolean,
  assertOptions,
  assertSignal,
  CgroupError,
  finiteNumber,
  type OptionKeys,
} from '../error/index.js';
import { hasStackedDevices } from '../host/stacked-devices.js';
import type { TextParser } from '../kernel/text/fault.js';
import { flatParser, required } from '../kernel/text/flat.js';
import { parseNumber } from '../kernel/text/number.js';
import { CgroupReader } from '../readers/cgroup-reader.js';
import { asyncDispose } from '../realm/index.js';
import type { DirectScope } from './create.js';
import { openIfThere, type PinnedCgroup, using, writeError } from './pinned-cgroup.js';
import { assertNotInside } from './process.js';
import { killCgroup, REMOVE_TIMEOUT_MS, type RemoveOptions, removeScope } from './remove.js';
import { SystemdScope, type UnitTotal } from './systemd-scope.js';

/** How a scope was created, and is removed. */
export type ScopeStrategy = 'systemd-transient' | 'direct-write';

export interface ScopeRemoveOptions {
  /** Kill the processes in it. Without this, a scope with processes is `ERR_SCOPE_BUSY`. */
  readonly kill?: boolean | undefined;
  /** ms until `ERR_SCOPE_BUSY`; 25,000 by default. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const REMOVE_OPTIONS: OptionKeys<ScopeRemoveOptions> = {
  kill: true,
  timeoutMs: true,
  signal: true,
};
export interface IoUsage {
  readonly readBytes: bigint;
  readonly writeBytes: bigint;
}

const FREEZE_TIMEOUT_MS = 5_000;

const CPU_USAGE_NS = flatParser([required('usage_usec', 1_000n)]);
const OOM_KILLS = flatParser([required('oom_kill')]);

export class Scope implements AsyncDisposable {
  readonly id: string;
  /** Its directory in the cgroup2 file system. */
  readonly cgroupPath: string;
  readonly strategy: ScopeStrategy;
  /** The controllers that it has: `cgroup.controllers`. */
  readonly controllers: readonly string[];
  readonly #made: DirectScope | SystemdScope;
  #removal: Promise<void> | null = null;

  /** @internal */
  constructor(made: DirectScope | SystemdScope) {
    this.id = made.id;
    this.cgroupPath = made.cgroupPath;
    this.strategy = made instanceof SystemdScope ? 'systemd-transient' : 'direct-write';
    this.controllers = made.controllers;
    this.#made = made;
  }

  /**
   * Stops every process in it (`cgroup.freeze`), and waits until all have stopped. Throws `ERR_SCOPE_NOT_FOUND` once it
   * is gone, `ERR_CGROUP_WRITE` with the errno (`ETIMEDOUT`: a process hangs in the kernel, and stops when it can).
   */
  async freeze(): Promise<void> {
    await this.#on(async (cgroup) => {
      assertNotInside(cgroup, 'freeze');
      await write(cgroup, 'cgroup.freeze', '1');
      await untilFrozen(cgroup);
    });
  }

  /** Lets the processes continue. Throws as `freeze`. */
  thaw(): Promise<void> {
    return this.#on((cgroup) => write(cgroup, 'cgroup.freeze', '0'));
  }

  /**
   * Kills every process in it and below, frozen or not, and waits until it is empty; the scope stays. (systemd removes
   * its own scopes once they are empty.) Throws `ERR_SCOPE_BUSY` after 25 s. Does nothing if the scope is gone.
   */
  async kill(): Promise<void> {
    const cgroup = this.#open();
    if (cgroup !== null) await using(cgroup, (there) => killCgroup(there));
  }

  /**
   * Removes it, with the cgroups that were created inside, deepest first. Removing it again is not an error. Throws
   * `ERR_SCOPE_BUSY`, after which the call may be repeated. A call waits for another that is under way, and does what
   * that one did not.
   */
  async remove(options: ScopeRemoveOptions = {}): Promise<void> {
    const checked = removeOptions(options, REMOVE_OPTIONS);
    this.#removal = this.#removal?.catch(() => this.#remove(checked)) ?? this.#remove(checked);
    await this.#removal;
  }

  /**
   * All cpu time of the scope in ns: `usage_usec` of `cpu.stat`, or once systemd has removed the cgroup, the value that
   * the manager read last (`CPUUsageNSec`). null if neither exists: after `remove()`, or if the bus went away.
   */
  async cpuUsageNs(): Promise<bigint | null> {
    return this.#figure('cpu.stat', CPU_USAGE_NS) ?? this.#unitTotal('CPUUsageNSec');
  }

  /**
   * Bytes read from and written to storage by the scope, as in `CgroupReader.readIo`, or once systemd has removed the
   * cgroup, the values that the manager read last (`IOReadBytes`, `IOWriteBytes`). null if neither exists, io is not
   * accounted, or devices are stacked on others, because the manager counts every layer.
   */
  async ioUsage(): Promise<IoUsage | null> {
    if (this.#read(() => true) === true) {
      using reader = CgroupReader.fromPath(this.cgroupPath);
      const { readBytes, writeBytes } = reader.readIo({ bigint: true });
      if (readBytes !== null && writeBytes !== null) return { readBytes, writeBytes };
    }
    if (hasStackedDevices()) return null;
    const [readBytes, writeBytes] = await Promise.all([
      this.#unitTotal('IOReadBytes'),
      this.#unitTotal('IOWriteBytes'),
    ]);
    return readBytes === null || writeBytes === null ? null : { readBytes, writeBytes };
  }

  /**
   * The peak memory of the scope in bytes: `memory.peak`, or once systemd (255 or later) has removed the cgroup, the
   * value that the manager read last (`MemoryPeak`). null if neither exists.
   */
  async memoryPeakBytes(): Promise<bigint | null> {
    return this.#figure('memory.peak', parseNumber) ?? this.#unitTotal('MemoryPeak');
  }

  /** Kills and removes it. */
  [asyncDispose](): Promise<void> {
    return this.remove({ kill: true });
  }

  /** @internal Opens its `cgroup.procs` for a child that moves itself. Returns the descriptor, or a negative errno. */
  openProcs(): number {
    const cgroup = this.#open();
    if (cgroup === null) throw notFound(this.cgroupPath);
    const fd = cgroup.openForWriting('cgroup.procs');
    cgroup.close();
    return fd;
  }

  /** @internal Whether the kernel's oom killer killed a process in it: `oom_kill` of `memory.events`. */
  hadOomKill(): boolean {
    return this.#orFalse(() => (this.#figure('memory.events', OOM_KILLS) ?? 0n) > 0n);
  }

  /** @internal Whether the whole scope is frozen, by itself or by an ancestor. */
  isFrozen(): boolean {
    return this.#orFalse(() => this.#read((cgroup) => cgroup.events()?.frozen) === true);
  }

  /** For details of another failure's message: an error from here must not hide that failure. */
  #orFalse(ask: () => boolean): boolean {
    try {
      return ask();
    } catch {
      return false;
    }
  }

  /** The one value that the parser finds in a file; null if there is none. */
  #figure(file: string, parse: TextParser): bigint | null {
    return this.#read((cgroup) => cgroup.values(file, parse)?.[0]) ?? null;
  }

  /** undefined if the cgroup is gone. */
  #read<T>(read: (cgroup: PinnedCgroup) => T): T | undefined {
    const cgroup = this.#open();
    try {
      return cgroup === null ? undefined : read(cgroup);
    } finally {
      cgroup?.close();
    }
  }

  async #unitTotal(name: UnitTotal): Promise<bigint | null> {
    if (!(this.#made instanceof SystemdScope)) return null;
    return this.#made.total(name, { deadline: performance.now() + REMOVE_TIMEOUT_MS });
  }

  async #remove(options: RemoveOptions): Promise<void> {
    if (this.#made instanceof SystemdScope) await this.#made.remove(options);
    else await removeScope(this.#made, options);
  }

  #open(): PinnedCgroup | null {
    return openIfThere(this.cgroupPath, this.#made.identity);
  }

  async #on(act: (cgroup: PinnedCgroup) => Promise<void>): Promise<void> {
    const cgroup = this.#open();
    if (cgroup === null) throw notFound(this.cgroupPath);
    await using(cgroup, act);
  }
}

/** The checked options with defaults. Throws `ERR_INVALID_CONFIG`, `ERR_OUT_OF_RANGE`, an aborted signal's reason. */
export function removeOptions<T extends ScopeRemoveOptions>(
  options: T,
  keys: OptionKeys<T>,
): RemoveOptions {
  assertOptions('options', options, keys);
  const { kill = false, timeoutMs = REMOVE_TIMEOUT_MS, signal } = options;
  assertBoolean('kill', kill);
  finiteNumber('timeoutMs', timeoutMs);
  assertSignal(signal);
  signal?.throwIfAborted();
  return { kill, timeoutMs, signal };
}

export function notFound(path: string): CgroupError {
  return new CgroupError('ERR_SCOPE_NOT_FOUND', `there is no scope at ${path}`, { file: path });
}

async function write(cgroup: PinnedCgroup, file: string, text: string): Promise<void> {
  const errno = await cgroup.write(file, text);
  if (errno === null) return;
  if (errno === 'ENODEV' || errno === 'ENOENT') throw notFound(cgroup.path);
  throw writeError(cgroup, file, text, errno);
}

async function untilFrozen(cgroup: PinnedCgroup): Promise<void> {
  const deadline = performance.now() + FREEZE_TIMEOUT_MS;
  while (cgroup.events()?.frozen === false) {
    if (performance.now() > deadline) throw writeError(cgroup, 'cgroup.freeze', '1', 'ETIMEDOUT');
    await sleep(1);
  }
}
