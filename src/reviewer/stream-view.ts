/** Opens the files of a reviewer log as of one moment. */
import { constants } from 'node:fs';
import { type FileHandle, lstat } from 'node:fs/promises';
import { ReviewerTelemetryError } from '../error/index.js';
import { errnoOf } from '../kernel/errno.js';
import { isAt, NotRegular, openRegular } from '../ndjson/open-regular.js';
import { reviewerEventsRotatedPath } from './paths.js';

/** No writer rotates this many times in quick succession. */
const MAX_ATTEMPTS = 1000;

export interface StreamFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** Its size at that moment. */
  readonly size: number;
  /** Whether this is the file that is appended to, not the rotated one. */
  readonly isCurrent: boolean;
}

/**
 * Opens the rotated and the current file, as far as they exist, oldest first. No rotation happened in between: no event
 * is in both files, and none is left out.
 *
 * Throws `ERR_REVIEWER_MISSING` if neither exists, `ERR_REVIEWER_IO`.
 */
export async function openStream(path: string): Promise<readonly StreamFile[]> {
  const rotatedPath = reviewerEventsRotatedPath(path);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const files: StreamFile[] = [];
    try {
      const current = await openFile(path, true);
      if (current !== null) files.push(current);
      const rotated = await openFile(rotatedPath, false);
      if (rotated !== null) files.unshift(rotated);
      // No other file can have this inode number while the file is open.
      if (await isStill(path, current)) {
        if (files.length > 0) return files;
        throw new ReviewerTelemetryError(
          'ERR_REVIEWER_MISSING',
          `there is no reviewer log ${path}`,
          {
            path,
            file: path,
            errno: 'ENOENT',
          },
        );
      }
    } catch (cause) {
      await closeStream(files);
      throw cause;
    }
    await closeStream(files);
  }
  throw ioError(path, path, 'EAGAIN');
}

export async function closeStream(files: readonly StreamFile[]): Promise<void> {
  await Promise.all(files.map(({ handle }) => handle.close()));
}

export function ioError(
  path: string,
  file: string,
  errno: string | null,
  cause?: unknown,
): ReviewerTelemetryError {
  // The rotated file of a link could be beside the link or beside its target.
  const isLink = errno === 'ELOOP';
  const why = isLink
    ? 'a symbolic link: give the path it leads to'
    : (errno ?? 'not a regular file');
  return new ReviewerTelemetryError('ERR_REVIEWER_IO', `${file} cannot be read (${why})`, {
    path,
    file,
    errno,
    cause,
  });
}

async function openFile(path: string, isCurrent: boolean): Promise<StreamFile | null> {
  let handle: FileHandle | null = null;
  try {
    handle = await openRegular(path, constants.O_NOFOLLOW);
    if (handle === null) return null;
    return { path, handle, size: (await handle.stat()).size, isCurrent };
  } catch (cause) {
    await handle?.close();
    // If a component of the path is a file, there is no log either.
    if (errnoOf(cause) === 'ENOTDIR') return null;
    const errno = cause instanceof NotRegular ? cause.errno : errnoOf(cause);
    throw ioError(path, path, errno, cause);
  }
}

/** Whether the name still refers to this file, or still to no file. */
async function isStill(path: string, opened: StreamFile | null): Promise<boolean> {
  try {
    if (opened !== null) return await isAt(path, opened.handle);
    await lstat(path);
    return false;
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return true;
    throw ioError(path, path, errno, cause);
  }
}
