/** The errno of a failure, and which errnos say nothing about the file, because descriptors or memory ran out. */
import { errnoName } from '../error/errno-name.js';
import { CgroupError, ProcError, type TelemetryError } from '../error/index.js';
import { codeOf, errnoNumberOf } from '../realm/index.js';
import { Errno } from './syscall.js';

/** The symbolic errno of a failed file operation, or its message. */
export function errnoOf(cause: unknown): string {
  const code = codeOf(cause);
  if (code === null) return String(cause);
  const errno = errnoNumberOf(cause);
  const isUnnamed = code.startsWith('Unknown system error');
  return isUnnamed && errno !== null ? errnoName(errno) : code;
}

const SHORTAGES: ReadonlySet<unknown> = new Set([
  ...['EMFILE', 'ENFILE', 'ENOMEM'],
  ...[Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM],
]);

/** Whether the errno (name or negative number) is a shortage: the kernel could not check, so it proves nothing. */
export function isShortage(errno: string | number | null | undefined): boolean {
  return SHORTAGES.has(errno);
}

/** The name of a shortage's errno, for Node's errors and ours; null for any other failure. */
export function shortageOf(cause: unknown): string | null {
  // `errno` is the name in our own errors, and the number in Node's.
  const has = typeof cause === 'object' && cause !== null && 'errno' in cause;
  const name = has && typeof cause.errno === 'string' ? cause.errno : errnoOf(cause);
  return isShortage(name) ? name : null;
}

/** Throws `ERR_PROC_READ` or `ERR_CGROUP_READ` if `cause` is a shortage. */
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
