/** Descriptors that are opened only to have them. */

import { errnoName } from '../error/errno-name.js';
import { close, openDirectoryPath } from './syscall.js';

/** null where `count` more descriptors can be opened at this moment, else the errno. */
export function whyNotOpen(count: number): string | null {
  const opened: number[] = [];
  const errno = openUpTo(opened, count);
  closeAll(opened);
  return errno;
}

/** Opens until there are `count`. null, or the errno. */
export function openUpTo(descriptors: number[], count: number): string | null {
  while (descriptors.length < count) {
    const fd = openDirectoryPath('/');
    if (fd < 0) return errnoName(fd);
    descriptors.push(fd);
  }
  return null;
}

export function closeAll(descriptors: number[]): void {
  for (const fd of descriptors.splice(0)) close(fd);
}
