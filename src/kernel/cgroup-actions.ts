/** Writes to cgroups off the event loop, because the kernel may stall one for tens of milliseconds. */

import { constants } from 'node:fs';
import { open, rmdir, stat } from 'node:fs/promises';
import { loadAddon } from '../addon/load.js';
import { errnoName } from '../error/errno-name.js';
import { errnoOf } from './errno.js';
import { whyNotStopped } from './own-membership.js';

/** Neither method rejects. If the addon loads, actions run in sequence, the first call first. */
export interface CgroupActions {
  /** Writes `text` to a control file (`cgroup.kill`, `cgroup.procs`, …) in one write. Returns null, or the errno. */
  write(directory: string, file: string, text: string): Promise<string | null>;
  /** Removes the directory. Returns null, or the errno. */
  remove(directory: string): Promise<string | null>;
}

/** Uses the addon's actuator thread, or Node's thread pool if the addon does not load. */
export function cgroupActions(): CgroupActions {
  const { addon } = loadAddon();
  if (addon === null) return threadPoolActions;
  const actuator = new addon.Actuator();
  return {
    write: (directory, file, text) =>
      withoutNul([directory, file], () =>
        done((onDone) => actuator.write(directory, file, text, onDone)),
      ),
    remove: (directory) =>
      withoutNul([directory], () => done((onDone) => actuator.removeDirectory(directory, onDone))),
  };
}

function done(start: (onDone: (errno: number | null) => void) => void): Promise<string | null> {
  return new Promise((resolve) => {
    start((errno) => resolve(errno === null ? null : errnoName(errno)));
  });
}

/** @internal The actions without the addon. */
export const threadPoolActions: CgroupActions = {
  write: (directory, file, text) =>
    withoutNul([directory, file], () => writeControlFile(`${directory}/${file}`, text)),
  remove: (directory) =>
    withoutNul([directory], async () => {
      await rmdir(directory);
      return null;
    }),
};

/** A C string would end at a NUL and so name another file. */
async function withoutNul(
  names: readonly string[],
  act: () => Promise<string | null>,
): Promise<string | null> {
  if (names.some((name) => name.includes('\0'))) return 'EINVAL';
  try {
    return await act();
  } catch (cause) {
    return errnoOf(cause);
  }
}

/**
 * Writes `text` in one write. Returns null, or the symbolic errno (`EXDEV`: something is mounted over the file;
 * `EBUSY`: a freeze or a kill would hit this process). Never rejects.
 */
export async function writeControlFile(path: string, text: string): Promise<string | null> {
  const slash = path.lastIndexOf('/');
  const file = path.slice(slash + 1);
  if (file === 'cgroup.kill' || (file === 'cgroup.freeze' && text === '1')) {
    const errno = whyNotStopped(path.slice(0, slash));
    if (errno !== null) return errno;
  }
  // Writing a limit waits for reclaim unless the descriptor is non-blocking.
  const isLimit = file.startsWith('memory.');
  const flags = constants.O_WRONLY | constants.O_NOFOLLOW | (isLimit ? constants.O_NONBLOCK : 0);
  try {
    const file = await open(path, flags);
    try {
      const [opened, directory] = await Promise.all([file.stat(), stat(path.slice(0, slash))]);
      if (opened.dev !== directory.dev) return 'EXDEV';
      const { bytesWritten } = await file.write(text);
      return bytesWritten === Buffer.byteLength(text) ? null : 'EIO';
    } finally {
      await file.close();
    }
  } catch (cause) {
    return errnoOf(cause);
  }
}
