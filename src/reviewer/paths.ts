import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { invalidConfig } from '../error/index.js';

/** Returns `path.lock`: writers of the log hold the `flock` of this file. */
export function reviewerEventsLockPath(path: string): string {
  return `${assertLogPath(path)}.lock`;
}

/** Returns `path.1`: a full log is renamed to it. */
export function reviewerEventsRotatedPath(path: string): string {
  return `${assertLogPath(path)}.1`;
}

/** Throws `ERR_INVALID_CONFIG` unless `path` can name a file. */
export function assertLogPath(path: unknown, name = 'the path of a reviewer log'): string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0') && !path.endsWith('/')) {
    return path;
  }
  throw invalidConfig(`${name} must be the path of a file, not empty and without NUL`);
}

/** Resolves the links among the directories of a path, as far as they exist. */
export async function realPathOf(path: string): Promise<string> {
  const directory = dirname(path);
  if (directory === path) return path;
  const real = await realpath(directory).catch(() => realPathOf(directory));
  return join(real, basename(path));
}
