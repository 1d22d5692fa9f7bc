/** A scope that a systemd manager owns. */
import type { Wait } from '../async/within.js';
import { scopeName } from '../episode/cgroup-path.js';
import type { SystemdManager } from '../systemd/index.js';
import { openIfThere, type PinnedCgroup, using } from './pinned-cgroup.js';
import { type RemoveOptions, waitOf } from './remove.js';
import { endScope } from './systemd-remove.js';

/** systemd's value for "unknown". */
const UNKNOWN = 2n ** 64n - 1n;

/** Values that the manager keeps after a scope's end: io if it accounts for it, the peak from systemd 255 on. */
export type UnitTotal = 'CPUUsageNSec' | 'IOReadBytes' | 'IOWriteBytes' | 'MemoryPeak';

/** Holds the reference to its unit until it is removed. */
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

  /** The value that the manager read last, even after the cgroup is gone; null if it is unknown. */
  async total(name: UnitTotal, wait: Wait): Promise<bigint | null> {
    if (!this.#held) return null;
    try {
      const value = await this.#manager.unitProperty(this.unit, 'Scope', name, wait);
      return typeof value === 'bigint' && value < UNKNOWN ? value : null;
    } catch {
      return null;
    }
  }

  /** As `removeScope`, by the manager. */
  async remove(options: RemoveOptions): Promise<void> {
    const cgroup = openIfThere(this.cgroupPath, this.identity);
    if (cgroup !== null) await using(cgroup, (there) => endScope(this.unit, there, options));
    if (!this.#held) return;
    this.#held = false;
    // A bus that went away has already dropped the reference.
    await this.#manager.unrefUnit(this.unit, waitOf(options)).catch(() => {});
    this.#manager.release();
  }
}
