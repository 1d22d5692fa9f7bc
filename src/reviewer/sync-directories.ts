/** Syncs the names of a log's files to disk, as `native/core/event_log.cc` does. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../kernel/errno.js';

/**
 * The errors for a directory that cannot be synced, as opposed to a failed write. The descriptor is known to be open,
 * so EBADF also comes from the file system: it requires a writable descriptor, which a directory cannot have.
 */
const UNSYNCABLE = new Set(['EBADF', 'EINVAL', 'EISDIR', 'ENOSYS', 'ENOTSUP', 'ENOTSUPP']);
/** A directory may be writable for this process but not readable, and a sync must open it for reading. */
const FORBIDDEN = new Set(['EACCES', 'EPERM']);

/**
 * Syncs a directory and those above it, which may have been made for this log, or may be closed to this process. If
 * that is impossible, no error is thrown: the lines are synced, and the file's name is left to the file system.
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
