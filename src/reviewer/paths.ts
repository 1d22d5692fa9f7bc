import { invalidConfig } from '../error/index.js';

/** `path.lock`: the file whose `flock` writers of the log hold. */
export function reviewerEventsLockPath(path: string): string {
  return `${assertLogPath(path)}.lock`;
}

/** `path.1`: what the log becomes when it is full. */
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
