/** The location of a recording's files: resolves the links of its path and renames files to make room for a new one. */
import { lstat, readlink, realpath, rename, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { invalidConfig, RecordingError, TelemetryError } from '../error/index.js';
import { errnoOf } from '../kernel/errno.js';
import { type FileIdentity, isSameFile } from '../kernel/syscall.js';
import { codeOf } from '../realm/index.js';

/** The number of links that the kernel follows. */
const MAX_LINKS = 40;

/** Names an open file of some process, which must never be renamed or replaced, even if it is regular. */
const DESCRIPTOR = /^\/(?:dev\/(?:stdin|stdout|stderr|fd\/\d+)|proc\/.+\/fd\/\d+)$/;
const OWN_DESCRIPTOR = /^\/(?:dev|proc\/self|proc\/thread-self)\/fd\/(\d+)$/;
const STANDARD_STREAMS = ['/dev/stdin', '/dev/stdout', '/dev/stderr'];

export interface Place {
  /** Never a link, whether or not a file exists there. */
  readonly path: string;
  /** It names an open file (`/dev/stdout`). */
  readonly isDescriptor: boolean;
}

/** Whether a path names an open file (`/dev/stdout`). */
export function namesDescriptor(path: string): boolean {
  return DESCRIPTOR.test(path);
}

/** Returns the number of a descriptor of this process; null for every other place. */
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
 * Returns where `path` leads: of a link, not the link but its target is rotated, in the target's directory. Throws the
 * system error, except `ENOENT`.
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

/** Returns the path of the file that was rotated `age` times: `path.1` is the newest of them. */
export function rotatedPath(path: string, age: number): string {
  return age === 0 ? path : `${path}.${age}`;
}

/** Whether the name is taken, even by a dangling link. */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    return false;
  }
}

/** Converts a system error about a file of a recording to `ERR_RECORDING_IO`; returns any other error unchanged. */
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
 * Renames `path` to `path.1`, that one to `path.2`, up to the first free name; if none is free, the oldest is replaced.
 * It stops at a free name so that no file is dropped needlessly after an earlier call failed or was killed halfway.
 * `path.1` is created even if `keepFiles` is 0, so that a kill before the next file has its header loses nothing; the
 * caller then calls `dropRotated`.
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
  // If both names refer to one file, rename does nothing: without this the file would block the name for ever.
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
