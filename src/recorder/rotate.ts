/** Makes room for a new file at the path of a recording, by renames only: nothing is copied, nothing is half there. */
import { lstat, rename, unlink } from 'node:fs/promises';
import { errnoOf } from '../kernel/errno.js';
import { type FileIdentity, isSameFile } from '../kernel/syscall.js';
import { exists, rotatedPath } from './place.js';

/**
 * `path` becomes `path.1`, that one `path.2`, up to the first free name; where there is none, the oldest is replaced.
 * Stopping at a free name matters where an earlier call failed, or was killed, halfway: it is not that files drop out
 * at the far end for nothing. With `keepFiles` 0 too there is a `path.1` then: until the next file
 * has its header, so that a kill in between loses nothing; and then `dropRotated`.
 */
export async function rotate(path: string, keepFiles: number): Promise<void> {
  const oldest = Math.max(keepFiles, 1);
  let free = 1;
  while (free < oldest && (await exists(rotatedPath(path, free)))) free += 1;
  for (let age = free - 1; age >= 0; age -= 1) {
    await move(rotatedPath(path, age), rotatedPath(path, age + 1)).catch(unlessGone);
  }
}

export async function dropRotated(path: string): Promise<void> {
  await unlink(rotatedPath(path, 1)).catch(unlessGone);
}

async function move(from: string, to: string): Promise<void> {
  await rename(from, to);
  // Of two names of one file a rename does nothing: without this the file would be in the way for ever.
  const [still, moved] = await Promise.all([identityAt(from), identityAt(to)]);
  if (still !== null && moved !== null && isSameFile(still, moved)) await unlink(from);
}

async function identityAt(path: string): Promise<FileIdentity | null> {
  try {
    return await lstat(path, { bigint: true });
  } catch {
    return null;
  }
}

function unlessGone(cause: unknown): void {
  if (errnoOf(cause) !== 'ENOENT') throw cause;
}
