/** Opening what is recorded into. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../host/index.js';
import { makeDirectories } from '../ndjson/directories.js';
import { RegularFile } from '../ndjson/regular-file.js';
import type { Output } from './output.js';
import { ownDescriptor, type Place } from './place.js';
import { DescriptorTarget, StreamFile } from './stream-file.js';

/** Without O_NONBLOCK the open of a FIFO that nobody reads would hold a thread of the pool for ever. */
const FLAGS = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Whether there is a recording, or something else that is not ours to write over. Throws what the kernel says. */
export async function holdsLines({ path, isDescriptor }: Place): Promise<boolean> {
  if (isDescriptor) return false;
  const found = await statOf(path);
  return found?.isFile() ? found.size > 0 : false;
}

/**
 * A new file at `path`, made with its directories, or the stream that is there. An empty file is used: it is what a
 * kill leaves between the making of a file and its header. Throws what the kernel says.
 */
export async function openOutput(place: Place): Promise<Output> {
  const { path } = place;
  if (place.isDescriptor) return new StreamFile(await openDescriptor(place));
  const found = await statOf(path);
  if (found === null) return new RegularFile(await createNew(path));
  const handle = await open(path, FLAGS);
  return found.isFile() ? new RegularFile(handle) : new StreamFile(handle);
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

async function statOf(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    return null;
  }
}

async function createNew(path: string): Promise<FileHandle> {
  const flags = FLAGS | constants.O_CREAT | constants.O_EXCL;
  try {
    return await open(path, flags, 0o666);
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    await makeDirectories(dirname(path));
    return open(path, flags, 0o666);
  }
}
