/** Where the files of a recording are: its path, the links of that followed, and the renames that make room for a new one. */
import { lstat, readlink, realpath, rename, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { invalidConfig, RecordingError, TelemetryError } from '../error/index.js';
import { errnoOf } from '../kernel/errno.js';
import { type FileIdentity, isSameFile } from '../kernel/syscall.js';
import { codeOf } from '../realm/index.js';

/** The number of links that the kernel follows. */
const MAX_LINKS = 40;

/** An open file of some process, also where it is a regular one: never to be renamed or replaced. */
const DESCRIPTOR = /^\/(?:dev\/(?:stdin|stdout|stderr|fd\/\d+)|proc\/.+\/fd\/\d+)$/;
const OWN_DESCRIPTOR = /^\/(?:dev|proc\/self|proc\/thread-self)\/fd\/(\d+)$/;
const STANDARD_STREAMS = ['/dev/stdin', '/dev/stdout', '/dev/stderr'];

export interface Place {
  /** No link, whether there is a file or not. */
  readonly path: string;
  /** It names an open file (`/dev/stdout`). */
  readonly isDescriptor: boolean;
}

/** Whether a path names an open file (`/dev/stdout`). */
export function namesDescriptor(path: string): boolean {
  return DESCRIPTOR.test(path);
}

/** The number of an open file that is ours; null for every other place. */
export function ownDescriptor({ path }: Place): number | null {
  const standard = STANDARD_STREAMS.indexOf(path);
  if (standard >= 0) return standard;
  const number = OWN_DESCRIPTOR.exec(path)?.[1];
  return number === undefined ? null : Number(number);
}

/** Throws `ERR_INVALID_CONFIG` unless `path` can name a file. */
export function assertRecordingPath(path: unknown): asserts path is string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return;
  throw invalidConfig('the path of a recording must be a string, not empty and without NUL');
}

/**
 * Where `path` leads. Of a link it is the file behind it that is rotated, beside itself, and not the link. Throws
 * what the kernel says, `ENOENT` excepted.
 */
export async function placeOf(path: string): Promise<Place> {
  let found = resolve(path);
  for (let links = 0; links <= MAX_LINKS; links += 1) {
    if (namesDescriptor(found)) return { path: found, isDescriptor: true };
    const target = await linkTarget(found);
    if (target === null) return { path: found, isDescriptor: false };
    found = resolve(await realpath(dirname(found)), target);
  }
  throw Object.assign(new Error(`too many links: ${path}`), { code: 'ELOOP' });
}

async function linkTarget(path: string): Promise<string | null> {
  try {
    return await readlink(path);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'EINVAL' || errno === 'ENOENT') return null;
    throw cause;
  }
}

/** The file that was rotated away `age` times: `path.1` is the newest of them. */
export function rotatedPath(path: string, age: number): string {
  return age === 0 ? path : `${path}.${age}`;
}

/** Whether the name is taken, also by a dangling link. */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    return false;
  }
}

/** What the kernel said about a file of a recording, as `ERR_RECORDING_IO`; any other error as it is. */
export function recordingIoError(file: string, doing: string, cause: unknown): unknown {
  if (cause instanceof TelemetryError || codeOf(cause) === null) return cause;
  const errno = errnoOf(cause);
  return new RecordingError('ERR_RECORDING_IO', `${file} cannot be ${doing} (${errno})`, {
    errno,
    file,
    cause,
  });
}

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
