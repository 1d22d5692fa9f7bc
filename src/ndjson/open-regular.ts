import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { errnoOf } from '../kernel/errno.js';
import { isSameFile } from '../kernel/syscall.js';

/** O_NONBLOCK: opening a FIFO must not wait for its writer. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Opens a file for reading; returns null if there is none. Throws `NotRegular`, and the errors of the file system; with
 * `O_NOFOLLOW` as a further flag, `ELOOP` for a symlink.
 */
export async function openRegular(path: string, furtherFlags = 0): Promise<FileHandle | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, FLAGS | furtherFlags);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return null;
    throw cause;
  }
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new NotRegular(path, found.isDirectory());
    return handle;
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

/** Whether the path still names the open file. */
export async function isAt(path: string, handle: FileHandle): Promise<boolean> {
  try {
    const named = await stat(path, { bigint: true });
    const opened = await handle.stat({ bigint: true });
    return isSameFile(named, opened);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return false;
    throw cause;
  }
}

export class NotRegular extends Error {
  readonly errno: string | null;

  constructor(path: string, isDirectory: boolean) {
    super(`${path} is not a regular file`);
    this.errno = isDirectory ? 'EISDIR' : null;
  }
}
