/** The names of a log's files, on disk: as `native/core/event_log.cc` does it. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../kernel/errno.js';

/**
 * What is said of a directory that cannot be synced, and not of a write that failed. That our descriptor is open we
 * know, so EBADF is the file system's word too: that it wants one for writing, which no directory has.
 */
const UNSYNCABLE = new Set(['EBADF', 'EINVAL', 'EISDIR', 'ENOSYS', 'ENOTSUP', 'ENOTSUPP']);
/** A directory may be one that we may write to and not open, which a sync needs. */
const FORBIDDEN = new Set(['EACCES', 'EPERM']);

/**
 * Syncs a directory, and those above, which may have been made for this log, and may be none of ours to open. Where
 * that cannot be done nothing is said: the lines are synced, and their file's name is left to the file system.
 */
export async function syncDirectories(path: string): Promise<void> {
  await syncDirectory(path);
  for (let at = dirname(path), below = path; at !== below; below = at, at = dirname(at)) {
    await syncDirectory(at).catch(() => {});
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync().catch(unless(UNSYNCABLE));
    } finally {
      await handle.close();
    }
  } catch (cause) {
    unless(FORBIDDEN)(cause);
  }
}

function unless(errnos: ReadonlySet<string>): (cause: unknown) => void {
  return (cause) => {
    if (!errnos.has(errnoOf(cause))) throw cause;
  };
}
