/** Decides how to continue when another process changed the file of a recording while it was written. */
import { endOfLast, lastNewlineOf } from '../ndjson/line-reader.js';
import { openRegular } from '../ndjson/open-regular.js';
import type { FileChange, RegularFile } from '../ndjson/regular-file.js';

/**
 * `'empty'`: the file is written again from its beginning. Otherwise it must be closed: `'elsewhere'`, its name is free
 * or names another file; `'ours'`, whole lines of the recording are left in it; `'foreign'`, it has foreign bytes too.
 */
export type Remains = 'empty' | 'elsewhere' | 'ours' | 'foreign';

/** `header` is the file's first line, with its newline. Throws the system error. */
export async function remainsOf(
  file: RegularFile,
  change: FileChange,
  path: string,
  header: Buffer,
): Promise<Remains> {
  switch (change) {
    case 'removed':
    case 'renamed':
      return 'elsewhere';
    case 'appended to':
      return 'foreign';
    case 'emptied':
      await file.cut(0);
      return 'empty';
    case 'cut short': {
      const whole = await wholeBytesAt(path, header);
      if (whole === null) return 'foreign';
      await file.cut(whole);
      return whole === 0 ? 'empty' : 'ours';
    }
  }
}

/** Returns the bytes of whole lines; null if the file does not begin with the header or cannot be read. */
async function wholeBytesAt(path: string, header: Buffer): Promise<number | null> {
  const handle = await openRegular(path).catch(() => null);
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    const begun = Buffer.alloc(Math.min(size, header.length));
    const { bytesRead } = await handle.read(begun, 0, begun.length, 0);
    if (!header.subarray(0, bytesRead).equals(begun.subarray(0, bytesRead))) return null;
    return await endOfLast(lastNewlineOf, handle, size);
  } finally {
    await handle.close();
  }
}
