import { errnoName } from '../error/errno-name.js';
import { codeOf, errnoNumberOf } from '../realm/index.js';

/** The symbolic errno of a failed file operation, or its message. */
export function errnoOf(cause: unknown): string {
  const code = codeOf(cause);
  if (code === null) return String(cause);
  const errno = errnoNumberOf(cause);
  const isUnnamed = code.startsWith('Unknown system error');
  return isUnnamed && errno !== null ? errnoName(-errno) : code;
}
