import { TelemetryError } from '../error/index.js';
import { MAX_EPISODE_ID_LENGTH } from '../schema/bounds.js';

const EPISODE_ID = new RegExp(`^[A-Za-z0-9_-]{1,${MAX_EPISODE_ID_LENGTH}}$`);
const MAX_PID = 2 ** 31 - 1;

/** Whether `id` is an episode id: 1–128 of `[A-Za-z0-9_-]`, safe as a file name and as part of a unit name. */
export function isEpisodeId(id: unknown): id is string {
  return typeof id === 'string' && EPISODE_ID.test(id);
}

/** Throws `ERR_INVALID_EPISODE_ID` unless `id` is an episode id. */
export function assertEpisodeId(id: unknown): asserts id is string {
  if (isEpisodeId(id)) return;
  const shown = typeof id === 'string' ? JSON.stringify(id.slice(0, 140)) : typeof id;
  throw new TelemetryError(
    'ERR_INVALID_EPISODE_ID',
    `an episode id is 1 to ${MAX_EPISODE_ID_LENGTH} of [A-Za-z0-9_-], got ${shown}`,
  );
}

/** Whether `pid` can be a process id: a whole number from 1 to 2^31 − 1. */
export function isPid(pid: unknown): pid is number {
  return typeof pid === 'number' && Number.isInteger(pid) && pid >= 1 && pid <= MAX_PID;
}

/** Throws `ERR_INVALID_PID` unless `pid` is a whole number from 1 to 2^31 − 1. */
export function assertPid(pid: unknown): asserts pid is number {
  if (isPid(pid)) return;
  const shown = typeof pid === 'number' ? String(pid) : typeof pid;
  throw new TelemetryError('ERR_INVALID_PID', `a pid is 1 to ${MAX_PID}, got ${shown}`);
}
