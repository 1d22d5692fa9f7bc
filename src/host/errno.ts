import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { codeOf, errnoNumberOf } from '../realm/index.js';

/** libuv names fewer than the system does: not EDQUOT, not ESTALE. */
const NAMES = new Map(Object.entries(constants.errno).map(([name, errno]) => [errno, name]));

/** The symbolic name of a positive errno. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? getSystemErrorName(-errno);
}

/** The symbolic errno of a failed file operation, or its message. */
export function errnoOf(cause: unknown): string {
  const code = codeOf(cause);
  if (code === null) return String(cause);
  const errno = errnoNumberOf(cause);
  const isUnnamed = code.startsWith('Unknown system error');
  return isUnnamed && errno !== null ? errnoName(-errno) : code;
}
