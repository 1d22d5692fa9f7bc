import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';

/** libuv names fewer than the system does: not EDQUOT, not ESTALE. */
const NAMES = new Map(Object.entries(constants.errno).map(([name, errno]) => [errno, name]));

/** The symbolic name of a positive errno. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? getSystemErrorName(-errno);
}

/** The symbolic errno of a failed file operation, or its message. */
export function errnoOf(cause: unknown): string {
  if (!(cause instanceof Error && 'code' in cause && typeof cause.code === 'string')) {
    return String(cause);
  }
  const isUnnamed = cause.code.startsWith('Unknown system error');
  if (isUnnamed && 'errno' in cause && typeof cause.errno === 'number') {
    return errnoName(-cause.errno);
  }
  return cause.code;
}
