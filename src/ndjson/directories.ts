import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../kernel/errno.js';

/** Not with `recursive`: below `/proc`, where nothing can be made, Node 20 then never comes back. */
export async function makeDirectories(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'EEXIST') return;
    const parent = dirname(directory);
    if (errno !== 'ENOENT' || parent === directory) throw cause;
    await makeDirectories(parent);
    await mkdir(directory).catch((again: unknown) => {
      // Somebody else made it meanwhile.
      if (errnoOf(again) !== 'EEXIST') throw again;
    });
  }
}
