/**
 * Reads the small control files of a cgroup directory. A file that cannot be read is null, but these functions throw if
 * the process is out of descriptors or memory, which says nothing about the file. `shown` is the path for messages.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { errnoOf, throwShortage } from './errno.js';
import type { TextParser } from './text/fault.js';
import { parseCgroupEvents } from './text/flat.js';

/** The controllers that episcope enables, in this order. */
export const WANTED_CONTROLLERS = ['cpu', 'memory', 'io', 'pids'] as const;
export type WantedController = (typeof WANTED_CONTROLLERS)[number];

/** Space-separated words, as in `cgroup.controllers`. */
export function readWords(file: string, shown = file): string[] | null {
  return readText(file, shown)?.split(/\s+/).filter(Boolean) ?? null;
}

export function readText(file: string, shown = file): string | null {
  return readBytes(file, shown)?.toString('utf8') ?? null;
}

export function readBytes(file: string, shown = file): Buffer | null {
  try {
    return readFileSync(file);
  } catch (cause) {
    throwShortage(cause, shown);
    return null;
  }
}

/** The values that a parser finds in the file; null if the file cannot be read or parsed. */
export function readValues(
  file: string,
  parse: TextParser,
  shown = file,
): readonly (bigint | null)[] | null {
  const text = readBytes(file, shown);
  const values: (bigint | null)[] = [];
  return text === null || parse(text, text.length, values) !== null ? null : values;
}

export interface CgroupEvents {
  /** Whether the cgroup or one below it has processes. */
  readonly populated: boolean;
  /** Whether the cgroup and all below it are frozen. */
  readonly frozen: boolean;
}

/** `cgroup.events`; null if it cannot be read, because the cgroup is gone. */
export function readCgroupEvents(directory: string, shown = directory): CgroupEvents | null {
  const file = 'cgroup.events';
  const values = readValues(`${directory}/${file}`, parseCgroupEvents, `${shown}/${file}`);
  return values === null ? null : { populated: values[0] === 1n, frozen: values[1] === 1n };
}

/** Returns null if the file may be written, else the errno. */
export function whyNotWritable(file: string): string | null {
  try {
    accessSync(file, constants.W_OK);
    return null;
  } catch (cause) {
    return errnoOf(cause);
  }
}

/** Whether this is the root of the hierarchy, which has no type and may have processes beside children. */
function isHierarchyRoot(directory: string): boolean {
  return !existsSync(`${directory}/cgroup.type`);
}

/**
 * The wanted controllers that children of this cgroup have, or could be given. No more can be enabled in a cgroup that
 * has processes itself: there `+cpu` would make its children threaded.
 */
export function controllersForChildren(directory: string): WantedController[] {
  const free = isHierarchyRoot(directory) || readWords(`${directory}/cgroup.procs`)?.length === 0;
  const mayEnable = free && whyNotWritable(`${directory}/cgroup.subtree_control`) === null;
  const file = mayEnable ? 'cgroup.controllers' : 'cgroup.subtree_control';
  const words = readWords(`${directory}/${file}`) ?? [];
  return WANTED_CONTROLLERS.filter((controller) => words.includes(controller));
}
