/** Which files are the recording at a path. */
import { RecordingError } from '../error/index.js';
import type { RecordingHeader } from './header.js';
import { PartFile } from './part-file.js';
import { exists, placeOf, recordingIoError, rotatedPath } from './place.js';

const ROTATED = /^(.+)\.([1-9]\d{0,8})$/;

export interface Part {
  readonly file: PartFile;
  readonly header: RecordingHeader;
}

export interface Parts {
  /** In the order they were written, all open; none where a kill came before the first header. */
  readonly parts: readonly Part[];
  /** A header that was cut short stands where the newest file would be. */
  readonly isTorn: boolean;
}

/**
 * Opens the newest file and, from it on, the older ones of the same recording: a recorder only ever moves files that
 * way, so what it rotates meanwhile is met again and not missed. A kill may have left a file without a whole header,
 * which is passed over, and one name of the row without a file, but not two.
 *
 * Throws `ERR_RECORDING_MISSING`, `ERR_RECORDING_MALFORMED`, `ERR_RECORDING_IO`.
 */
export async function openParts(path: string): Promise<Parts> {
  const row = await rowOf(path);
  const parts: Part[] = [];
  let isTorn = false;
  let isMissing = true;
  try {
    for (let age = row.age, absent = 0; absent < 2 && parts[0]?.header.part !== 0; age += 1) {
      const file = await PartFile.open(rotatedPath(row.path, age));
      absent = file === null ? absent + 1 : 0;
      if (file === null) continue;
      isMissing = false;
      const begun = await beginningOf(file);
      const { header } = begun;
      if (header === null) {
        await file.close();
        isTorn ||= !begun.isEmpty && parts.length === 0;
        // What was asked for by the name it was rotated to is not made up for by what is older.
        if (row.age > 0 && parts.length === 0) break;
      } else if (isOther(header, parts)) {
        await file.close();
        break;
      } else if (header.part === parts[0]?.header.part) {
        // The file that is open already: it was moved here meanwhile.
        await file.close();
      } else {
        parts.unshift({ file, header });
      }
    }
  } catch (cause) {
    await closeParts(parts);
    throw cause;
  }
  if (isMissing) {
    throw new RecordingError('ERR_RECORDING_MISSING', `there is no recording at ${path}`, {
      errno: 'ENOENT',
      file: path,
    });
  }
  return { parts, isTorn };
}

export async function closeParts(parts: readonly Part[]): Promise<void> {
  await Promise.all(parts.map(({ file }) => file.close()));
}

/**
 * The name from which files are rotated, and how old the one asked for is. `x.2` may be asked for by its name: the
 * recording of an earlier session, whose older files are `x.3`, …; unless `x.2.1` shows that it is a name itself.
 */
async function rowOf(asked: string): Promise<{ readonly path: string; readonly age: number }> {
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

async function beginningOf(file: PartFile) {
  try {
    return await file.header();
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

function isOther(header: RecordingHeader, parts: readonly Part[]): boolean {
  return parts.length > 0 && parts[0]?.header.recordingId !== header.recordingId;
}
