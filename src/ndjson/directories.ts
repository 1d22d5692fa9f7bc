import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../kernel/errno.js';

/** Does not use `recursive`: Node 20 then never returns below `/proc`, where no directory can be created. */
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
      // Another process created it in the meantime.
      if (errnoOf(again) !== 'EEXIST') throw again;
    });
  }
}
