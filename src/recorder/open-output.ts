/** Opens the file or stream that a recording is written to. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RecordingError } from '../error/index.js';
import { errnoOf } from '../kernel/errno.js';
import { makeDirectories } from '../ndjson/directories.js';
import { RegularFile } from '../ndjson/regular-file.js';
import { ownDescriptor, type Place } from './place.js';
import { DescriptorTarget, StreamFile } from './stream-file.js';

/** Without O_NONBLOCK the open of a FIFO without a reader would block a thread of the pool for ever. */
const FLAGS = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const FILE_FLAGS = FLAGS | constants.O_APPEND | constants.O_NOFOLLOW;

/** Whether there is a recording, or another file that must not be overwritten. Throws the system error. */
export async function holdsLines({ path, isDescriptor }: Place): Promise<boolean> {
  if (isDescriptor) return false;
  const found = await statOf(path);
  return found?.isFile() ? found.size > 0 : false;
}

/**
 * Creates a file at `path`, with its directories, or opens the stream that is there. An empty file is used, because a
 * kill between the creation of a file and its header leaves one. Anything else is left alone; with `isAgain` (a file
 * was written there before), so are a stream and a link, which another process must have put there meanwhile.
 *
 * Throws `ERR_RECORDING_IO` in these cases, else the system error.
 */
export async function openOutput(place: Place, isAgain: boolean): Promise<Output> {
  const { path } = place;
  if (place.isDescriptor) return new StreamFile(await openDescriptor(place));
  const found = await statOf(path, isAgain ? lstat : stat);
  if (found === null) return new RegularFile(await createNew(path));
  if (!isAgain && !found.isFile()) return new StreamFile(await open(path, FLAGS));
  if (!found.isFile() || found.size > 0) throw notOurs(path, found);
  return new RegularFile(await open(path, FILE_FLAGS));
}

function notOurs(path: string, found: Stats): RecordingError {
  let errno = found.isFile() ? 'EEXIST' : null;
  if (found.isDirectory()) errno = 'EISDIR';
  if (found.isSymbolicLink()) errno = 'ELOOP';
  return new RecordingError(
    'ERR_RECORDING_IO',
    `${path} cannot be written: somebody else put there what it is now`,
    { errno, file: path },
  );
}

/**
 * A regular file that is opened again would have an offset of its own, so that other writers to the descriptor would
 * overwrite it; and a socket cannot be opened. A pipe or a terminal can be opened again, and then does not block.
 */
async function openDescriptor(place: Place): Promise<FileHandle | DescriptorTarget> {
  const { path } = place;
  const fd = ownDescriptor(place);
  const found = await stat(path);
  if (fd === null || found.isFIFO() || found.isCharacterDevice()) {
    return open(path, FLAGS | constants.O_APPEND);
  }
  return new DescriptorTarget(fd);
}

async function statOf(path: string, statPath = stat): Promise<Stats | null> {
  try {
    return await statPath(path);
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    return null;
  }
}

async function createNew(path: string): Promise<FileHandle> {
  const flags = FILE_FLAGS | constants.O_CREAT | constants.O_EXCL;
  try {
    return await open(path, flags, 0o666);
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    await makeDirectories(dirname(path));
    return open(path, flags, 0o666);
  }
}

/**
 * The output of a recording: a file that can be rotated, or a stream. Both append whole lines, each with its newline,
 * and `append` never throws. An output that `isBroken` must be closed and opened again.
 */
export type Output = RegularFile | StreamFile;
