/** Descriptors that are held in reserve. */

import { errnoName } from '../error/errno-name.js';
import { close, openDirectoryPath } from './syscall.js';

/** Returns null if `count` more descriptors can be opened now, else the errno. */
export function whyNotOpen(count: number): string | null {
  const opened: number[] = [];
  const errno = openUpTo(opened, count);
  closeAll(opened);
  return errno;
}

/** Opens descriptors until there are `count`. Returns null, or the errno. */
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
