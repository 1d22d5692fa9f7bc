import { setTimeout as delay } from 'node:timers/promises';
import type { CgroupSpec } from '../engine/engine.js';
import { cgroupDirectory } from '../engine/failure-error.js';
import { CgroupError } from '../error/index.js';
import { cgroupActions } from '../kernel/cgroup-actions.js';
import { readCgroupEvents } from '../kernel/cgroup-files.js';
import { ENFORCE_LIMIT_NS } from '../schema/bounds.js';

/** The kernel thaws at once, but a cgroup with a frozen ancestor stays frozen. */
const LIMIT_MS = Number(ENFORCE_LIMIT_NS) / 1e6;

/** As `TelemetryHandle.thaw`. */
export async function thawCgroup(cgroup: CgroupSpec | null): Promise<void> {
  if (cgroup === null) {
    throw new CgroupError(
      'ERR_CGROUP_NOT_AVAILABLE',
      'the episode has no cgroup: nothing is frozen',
    );
  }
  const directory = cgroupDirectory(cgroup);
  const errno = await cgroupActions().write(directory, 'cgroup.freeze', '0');
  if (errno !== null) throw notThawed(directory, errno);
  const end = performance.now() + LIMIT_MS;
  while (readCgroupEvents(directory)?.frozen === true) {
    if (performance.now() > end) throw notThawed(directory, 'ETIMEDOUT');
    await delay(1);
  }
}

function notThawed(directory: string, errno: string): CgroupError {
  const gone = errno === 'ENOENT' || errno === 'ENODEV';
  return new CgroupError(
    gone ? 'ERR_CGROUP_NOT_FOUND' : 'ERR_CGROUP_WRITE',
    gone ? `there is no cgroup at ${directory} (${errno})` : `cannot thaw ${directory} (${errno})`,
    { errno, file: `${directory}/cgroup.freeze` },
  );
}
