/**
 * Reading the small control files of a cgroup directory; a file that cannot be read gives null. Where no descriptor is
 * left to read it with, this throws, because nothing is known then. `shown` is the directory's path for people.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { errnoOf } from './errno.js';
import { throwShortage } from './shortage.js';

/** Controllers that episcope asks for, in the order it asks for them. */
export const WANTED_CONTROLLERS = ['cpu', 'memory', 'io', 'pids'] as const;
export type WantedController = (typeof WANTED_CONTROLLERS)[number];

/** Space-separated words, as in `cgroup.controllers`. */
export function readWords(file: string, shown = file): string[] | null {
  return readText(file, shown)?.split(/\s+/).filter(Boolean) ?? null;
}

/** The whole file. */
export function readText(file: string, shown = file): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throwShortage(cause, shown);
    return null;
  }
}

export interface CgroupEvents {
  /** Processes live in it or below. */
  readonly populated: boolean;
  /** Everything in it and below is frozen. */
  readonly frozen: boolean;
}

/** `cgroup.events`; null where it cannot be read: the cgroup is gone. */
export function readCgroupEvents(directory: string, shown = directory): CgroupEvents | null {
  const text = readText(`${directory}/cgroup.events`, `${shown}/cgroup.events`);
  if (text === null) return null;
  return { populated: /^populated 1$/m.test(text), frozen: /^frozen 1$/m.test(text) };
}

/** null where the file may be written, else the errno. */
export function whyNotWritable(file: string): string | null {
  try {
    accessSync(file, constants.W_OK);
    return null;
  } catch (cause) {
    return errnoOf(cause);
  }
}

/** The top of the hierarchy itself, not of a cgroup namespace: only it has no type and is free of the no-internal-process rule. */
function isHierarchyRoot(directory: string): boolean {
  return !existsSync(`${directory}/cgroup.type`);
}

/**
 * The wanted controllers that children of this cgroup have, or could be given. A cgroup with processes
 * cannot be asked for more (no internal processes): what `+cpu` there would do is make its children threaded.
 */
export function controllersForChildren(directory: string): WantedController[] {
  const free = isHierarchyRoot(directory) || readWords(`${directory}/cgroup.procs`)?.length === 0;
  const mayEnable = free && whyNotWritable(`${directory}/cgroup.subtree_control`) === null;
  const file = mayEnable ? 'cgroup.controllers' : 'cgroup.subtree_control';
  const words = readWords(`${directory}/${file}`) ?? [];
  return WANTED_CONTROLLERS.filter((controller) => words.includes(controller));
}
