import { TelemetryError } from '../error/index.js';

/** The mount of procfs, or of a recorded one: an absolute path, else `ERR_INVALID_CONFIG`. */
export function assertProcRoot(path: string): string {
  if (typeof path === 'string' && path.startsWith('/') && !path.includes('\0')) return path;
  throw new TelemetryError('ERR_INVALID_CONFIG', 'procRoot must be an absolute path');
}
