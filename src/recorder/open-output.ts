/** Opening what is recorded into. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RecordingError } from '../error/index.js';
import { errnoOf } from '../kernel/errno.js';
import { makeDirectories } from '../ndjson/directories.js';
import { RegularFile } from '../ndjson/regular-file.js';
import { ownDescriptor, type Place } from './place.js';
import { DescriptorTarget, StreamFile } from './stream-file.js';

/** Without O_NONBLOCK the open of a FIFO that nobody reads would hold a thread of the pool for ever. */
const FLAGS = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const FILE_FLAGS = FLAGS | constants.O_APPEND | constants.O_NOFOLLOW;

/** Whether there is a recording, or something else that is not ours to write over. Throws what the kernel says. */
export async function holdsLines({ path, isDescriptor }: Place): Promise<boolean> {
  if (isDescriptor) return false;
  const found = await statOf(path);
  return found?.isFile() ? found.size > 0 : false;
}

/**
 * A new file at `path`, made with its directories, or the stream that is there. An empty file is used: it is what a
 * kill leaves between the making of a file and its header. What else stands there is left alone, and `isAgain`, where
 * a file was recorded into before, a stream and a link too: somebody put it there meanwhile.
 *
 * Throws `ERR_RECORDING_IO` then, and what the kernel says.
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
 * Opened anew, a regular file would have an offset of its own, and be written over by whoever else writes to the
 * descriptor; and a socket cannot be opened. A pipe or a terminal can, and does not block then.
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
 * What is recorded into: a file that can be rotated, or a stream. Both append whole lines, each with its newline, and
 * never throw then. One that `isBroken` is to be closed and opened again.
 */
export type Output = RegularFile | StreamFile;
