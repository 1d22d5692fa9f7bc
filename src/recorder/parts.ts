/** Finds the files that make up the recording at a path. */
import { RecordingError } from '../error/index.js';
import type { RecordingHeader } from './header.js';
import { PartFile } from './part-file.js';
import { exists, placeOf, recordingIoError, rotatedPath } from './place.js';

const ROTATED = /^(.+)\.([1-9]\d{0,8})$/;

/** The number of attempts before a file counts as absent: a rotation leaves a name without a file for an instant. */
const MAX_LOOKS = 32;
/** No writer rotates this many times in quick succession. */
const MAX_MOVES = 1_000;

export interface Part {
  readonly file: PartFile;
  readonly header: RecordingHeader;
}

export interface Parts {
  /** All open, in the order of writing; empty if a kill came before the first header. */
  readonly parts: readonly Part[];
  /** The newest file has only a part of its header. */
  readonly isTorn: boolean;
}

/** The name from which the files of a recording are rotated, and the age of the requested file. */
interface Row {
  readonly path: string;
  readonly age: number;
}

interface Newest {
  readonly part: Part | null;
  /** Its age when it was opened, or a lower age. */
  readonly age: number;
  readonly isTorn: boolean;
}

/**
 * Opens the newest file and then the older ones of the same recording, even if a writer rotates them meanwhile: no
 * file that exists from the beginning to the end of the call is left out. A kill may have left a file without a whole
 * header, which is skipped, and one name in the sequence without a file, but not two.
 *
 * Throws `ERR_RECORDING_MISSING`, `ERR_RECORDING_MALFORMED`, `ERR_RECORDING_IO`.
 */
export async function openParts(path: string): Promise<Parts> {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const row = await rowOf(path);
    const newest = await openNewest(row);
    if (newest === null) continue;
    const parts = newest.part === null ? [] : [newest.part];
    try {
      await addOlder(row.path, parts, newest.age);
    } catch (cause) {
      await closeParts(parts);
      throw cause;
    }
    return { parts, isTorn: newest.isTorn };
  }
  throw new RecordingError('ERR_RECORDING_MISSING', `there is no recording at ${path}`, {
    errno: 'ENOENT',
    file: path,
  });
}

export async function closeParts(parts: readonly Part[]): Promise<void> {
  await Promise.all(parts.map(({ file }) => file.close()));
}

/**
 * Returns the name from which files are rotated, and the age of the requested file. The caller may request `x.2`: the
 * recording of an earlier session, whose older files are `x.3`, …; unless `x.2.1` shows that files rotate from `x.2`.
 */
async function rowOf(asked: string): Promise<Row> {
  try {
    const { path } = await placeOf(asked);
    const [, name, age] = ROTATED.exec(path) ?? [];
    const isRotated =
      name !== undefined && (await exists(path)) && !(await exists(rotatedPath(path, 1)));
    return isRotated ? { path: name, age: Number(age) } : { path, age: 0 };
  } catch (cause) {
    throw recordingIoError(asked, 'read', cause);
  }
}

/** Opens the newest file that has a header; returns null if no file was found. */
async function openNewest(row: Row): Promise<Newest | null> {
  const headless: PartFile[] = [];
  let isTorn = false;
  try {
    for (let age = row.age, absent = 0; absent < 2; age += 1) {
      const file = await PartFile.open(rotatedPath(row.path, age));
      absent = file === null ? absent + 1 : 0;
      if (file === null) continue;
      const { header, isEmpty } = await beginningOf(file);
      if (header !== null) return { part: { file, header }, age, isTorn };
      headless.push(file);
      isTorn ||= !isEmpty;
      // An older file does not replace one that was requested by its rotated name.
      if (row.age > 0) break;
    }
    const first = headless.shift();
    if (first === undefined) return null;
    // Meanwhile its writer may have written the header and dropped the older file.
    const { header } = await beginningOf(first);
    if (header !== null) {
      return { part: { file: first, header }, age: row.age, isTorn: false };
    }
    await first.close();
    return { part: null, age: row.age, isTorn };
  } finally {
    await Promise.all(headless.map((file) => file.close()));
  }
}

/**
 * Puts the older files before the one in `parts`, whose age is `age` or more.
 *
 * A recorder only ever moves files to higher ages, the oldest first, and leaves at most one name free meanwhile. So
 * the next older file is always beyond the names that were checked since the last one was opened; and it does not exist
 * if it was not found at the two names after that one, provided that one has kept its name throughout.
 */
async function addOlder(path: string, parts: Part[], age: number): Promise<void> {
  let knownAge = age;
  let absent = 0;
  let moves = 0;
  for (let at = age + 1; parts[0] !== undefined && parts[0].header.part !== 0; at += 1) {
    const oldest = parts[0];
    const found = await openPart(rotatedPath(path, at));
    absent = found === 'absent' ? absent + 1 : 0;
    if (found === 'headless' || absent === 1) continue;
    const isPart = typeof found === 'object';
    if (isPart && found.header.recordingId === oldest.header.recordingId) {
      const { part } = found.header;
      if (part <= oldest.header.part) knownAge = at;
      if (part < oldest.header.part) parts.unshift(found);
      // It is already open and was moved here meanwhile.
      else await found.file.close();
    } else {
      // Either this is the end, or a later session has meanwhile inserted newer files.
      if (isPart) await found.file.close();
      const now = await ageOf(path, oldest.file, knownAge);
      if (now === null || now === knownAge) return;
      knownAge = now;
      at = now;
      absent = 0;
    }
    moves += parts[0] === oldest ? 1 : 0;
    if (moves > MAX_MOVES) {
      const why = `${path} is rotated faster than it can be read`;
      throw new RecordingError('ERR_RECORDING_IO', why, { errno: 'EAGAIN', file: path });
    }
  }
}

/** Returns the age at which a file is now, searching from `from` on; null if no name refers to it any more. */
async function ageOf(path: string, file: PartFile, from: number): Promise<number | null> {
  try {
    for (let look = 0; look < MAX_LOOKS && !(await file.isRemoved()); look += 1) {
      for (let age = from, absent = 0; absent < 2; age += 1) {
        const name = rotatedPath(path, age);
        if (await file.isAt(name)) return age;
        absent = (await exists(name)) ? 0 : absent + 1;
      }
    }
    return null;
  } catch (cause) {
    throw recordingIoError(path, 'read', cause);
  }
}

/** `'foreign'`: a file of another program that happens to have such a name. */
async function openPart(path: string): Promise<Part | 'absent' | 'headless' | 'foreign'> {
  const file = await PartFile.open(path);
  if (file === null) return 'absent';
  const isForeign = !(await closedUnless(file, () => file.beginsAsRecording()));
  const { header } = isForeign ? { header: null } : await beginningOf(file);
  if (header !== null) return { file, header };
  await file.close();
  return isForeign ? 'foreign' : 'headless';
}

function beginningOf(file: PartFile): ReturnType<PartFile['header']> {
  return closedUnless(file, () => file.header());
}

/** Returns what `read` returns; closes the file if it throws. */
async function closedUnless<T>(file: PartFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    await file.close();
    throw cause;
  }
}
