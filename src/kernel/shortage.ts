/**
 * Errnos by which the kernel says that it could not look, and nothing about what is there: no descriptor or no memory
 * was left. They are never taken for a fact.
 */
import { CgroupError, ProcError, type TelemetryError } from '../error/index.js';
import { errnoOf } from './errno.js';

const SHORTAGES: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM'];

export function isShortage(errno: string | null | undefined): boolean {
  return errno != null && SHORTAGES.includes(errno);
}

/** The symbolic errno of such a failure, Node's or ours; null for any other. */
export function shortageOf(cause: unknown): string | null {
  // `errno` is the name in our own errors, and the number in Node's.
  const has = typeof cause === 'object' && cause !== null && 'errno' in cause;
  const name = has && typeof cause.errno === 'string' ? cause.errno : errnoOf(cause);
  return isShortage(name) ? name : null;
}

/** Throws the coded error of a file that could not be looked at for want of descriptors or memory; else nothing. */
export function throwShortage(cause: unknown, file: string): void {
  const errno = shortageOf(cause);
  if (errno !== null) throw cannotLook(file, errno, cause);
}

function cannotLook(file: string, errno: string, cause: unknown): TelemetryError {
  const message = `cannot read ${file} (${errno})`;
  const detail = { errno, file, cause };
  return file.startsWith('/proc/')
    ? new ProcError('ERR_PROC_READ', message, detail)
    : new CgroupError('ERR_CGROUP_READ', message, detail);
}
