/** Writes a control file of a cgroup on Node's thread pool, because the kernel may stall such a write. */
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { errnoOf } from './errno.js';
import { whyNotStopped } from './own-membership.js';

/**
 * Writes `text` in one write. Returns null, or the symbolic errno (`EXDEV`: something is mounted over the file; `EBUSY`:
 * a freeze or a kill would hit this process). Never rejects.
 */
export async function writeControlFile(path: string, text: string): Promise<string | null> {
  const slash = path.lastIndexOf('/');
  const file = path.slice(slash + 1);
  if (file === 'cgroup.kill' || (file === 'cgroup.freeze' && text === '1')) {
    const errno = whyNotStopped(path.slice(0, slash));
    if (errno !== null) return errno;
  }
  // Writing a limit waits for reclaim unless the descriptor is non-blocking.
  const isLimit = file.startsWith('memory.');
  const flags = constants.O_WRONLY | constants.O_NOFOLLOW | (isLimit ? constants.O_NONBLOCK : 0);
  try {
    const file = await open(path, flags);
    try {
      const [opened, directory] = await Promise.all([file.stat(), stat(path.slice(0, slash))]);
      if (opened.dev !== directory.dev) return 'EXDEV';
      const { bytesWritten } = await file.write(text);
      return bytesWritten === Buffer.byteLength(text) ? null : 'EIO';
    } finally {
      await file.close();
    }
  } catch (cause) {
    return errnoOf(cause);
  }
}
