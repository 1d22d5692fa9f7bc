import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from '../host/index.js';

/** A file for reading; null where there is none. Throws `NotRegular`, and what the kernel says. */
export async function openRegular(path: string): Promise<FileHandle | null> {
  let handle: FileHandle;
  try {
    // O_NONBLOCK: the open of a FIFO must not wait for its writer.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
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

export class NotRegular extends Error {
  readonly errno: string | null;

  constructor(path: string, isDirectory: boolean) {
    super(`${path} is not a regular file`);
    this.errno = isDirectory ? 'EISDIR' : null;
  }
}
