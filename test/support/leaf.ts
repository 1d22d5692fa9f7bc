import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { findCgroup2Mount } from '../../src/host/index.js';

/** A cgroup of our own below the host's cgroup2 mount; without controllers on a hybrid host. */
export class Leaf {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Why this host lets us make no cgroup, or null: print it where cases are left out. */
  static probe(): string | null {
    try {
      rmdirSync(Leaf.make('probe').path);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  static make(name: string): Leaf {
    const mount = findCgroup2Mount();
    if (mount === null) throw new Error('this host has no cgroup2 mount');
    const path = `${mount}/episcope-test-${process.pid}-${name}`;
    mkdirSync(path);
    return new Leaf(path);
  }

  get procs(): string {
    return `${this.path}/cgroup.procs`;
  }

  /** `usage_usec` of `cpu.stat`, in ns. */
  usageNs(): number {
    const text = readFileSync(`${this.path}/cpu.stat`, 'utf8');
    return Number(/^usage_usec (\d+)$/m.exec(text)![1]) * 1000;
  }

  /** Kills what is inside, waits until it is empty, removes it. */
  async remove(): Promise<void> {
    writeFileSync(`${this.path}/cgroup.kill`, '1');
    while (!readFileSync(`${this.path}/cgroup.events`, 'utf8').includes('populated 0')) {
      await delay(1);
    }
    rmdirSync(this.path);
  }
}
