import type { FailedAction } from '../engine/engine.js';
import { TelemetryError } from '../error/index.js';

const INSTEAD = {
  kill: 'it is killed',
  freeze: 'it is frozen instead',
  stop: 'only its sampling stops, and what it runs goes on',
} as const;

/** The warning that an action on an exhausted budget failed, and what is done instead. */
export function failedActionError(
  { action, errno, next }: FailedAction,
  cgroupPath: string | null,
): TelemetryError {
  const why = errno ?? 'it has no cgroup';
  return new TelemetryError(
    'ERR_ACTION_FAILED',
    `the episode exhausted its budget and cannot be ${action === 'kill' ? 'killed' : 'frozen'} (${why}): ${INSTEAD[next]}`,
    { errno, file: cgroupPath },
  );
}
