/**
 * What tests have started and made, found wherever it went: every process that a test starts inherits a mark in its
 * environment, and every cgroup of a test has the pid of its worker in its name.
 */
import { type Dirent, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cgroup2Mount } from '../../src/host/hierarchy.js';
import { parseMountinfo } from '../../src/kernel/text/mountinfo.js';
import { alive } from './cli.js';

/** The environment variable that holds the mark: the run's directory, the worker's pid and the test's number. */
export const MARK = 'EPISCOPE_TEST_MARK';

/** How long whatever is about to end may take to do so, on a machine that is busy with other things. */
const GRACE_MS = 5_000;

export interface LeftProcess {
  readonly pid: number;
  readonly command: string;
  /** The number of the test that started it; 0: the file did, outside of any test. */
  readonly test: number;
}

/** The living processes whose mark begins with `mark`, but this one. */
export function processesMarked(mark: string): LeftProcess[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .flatMap((pid) => {
      const own = new RegExp(`(?:^|\0)${MARK}=([^\0]*)`).exec(textOf(`/proc/${pid}/environ`))?.[1];
      if (own === undefined || !own.startsWith(mark) || !alive(pid)) return [];
      const command = textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
      return [{ pid, command, test: Number(own.slice(own.lastIndexOf('/') + 1)) }];
    });
}

/** Those that are left after a while; none as soon as none is. */
export async function lasting<T>(find: () => T[]): Promise<T[]> {
  const end = performance.now() + GRACE_MS;
  for (;;) {
    const found = find();
    if (found.length === 0 || performance.now() > end) return found;
    await delay(20);
  }
}

/** Kills what is marked, and what that forks meanwhile, to the last. */
export async function killMarked(mark: string): Promise<void> {
  const left = await lasting(() => {
    const found = processesMarked(mark);
    for (const { pid } of found) signal(pid, 'SIGKILL');
    return found;
  });
  if (left.length > 0) throw new Error(`still there after SIGKILL: ${shown(left)}`);
}

export function shown(left: readonly LeftProcess[]): string {
  return left.map(({ pid, command }) => `${pid} (${command})`).join(', ');
}

/** The cgroups that these workers made, the deepest first. */
export function cgroupsOf(workers: readonly number[]): string[] {
  const mounts = parseMountinfo(textOf('/proc/self/mountinfo'));
  const roots = [cgroup2Mount(mounts)?.mountPoint ?? null, '/sys/fs/cgroup/freezer'];
  const made = new RegExp(`episcope-test-(?:engine-)?(?:${workers.join('|')})(?!\\d)`);
  return roots.flatMap((root) => (root === null ? [] : cgroupsBelow(root, made)));
}

function cgroupsBelow(directory: string, made: RegExp): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const path = join(directory, name);
      const below = cgroupsBelow(path, made);
      return made.test(path) ? [...below, path] : below;
    });
}

/** Removes them, with what lives inside. */
export async function removeCgroups(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await lasting(() => {
      try {
        writeFileSync(`${path}/cgroup.kill`, '1');
      } catch {
        // Not of cgroup v1.
      }
      try {
        rmdirSync(path);
        return [];
      } catch {
        return textOf(`${path}/cgroup.procs`) === '' ? [] : [path];
      }
    });
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
