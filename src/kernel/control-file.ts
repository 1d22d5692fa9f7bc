/** Writing a control file of a cgroup by Node's thread pool: the kernel may stall such a write for long. */
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { errnoOf } from './errno.js';
import { whyNotStopped } from './own-membership.js';

/**
 * Writes `text` in one write. null, or the symbolic errno (`EXDEV`: what is there is no file of that directory, but
 * something that was mounted over it; `EBUSY`: a freeze or a kill would hit this very process); never rejects.
 */
export async function writeControlFile(path: string, text: string): Promise<string | null> {
  const slash = path.lastIndexOf('/');
  const file = path.slice(slash + 1);
  if (file === 'cgroup.kill' || (file === 'cgroup.freeze' && text === '1')) {
    const errno = whyNotStopped(path.slice(0, slash));
    if (errno !== null) return errno;
  }
  // The write of a limit waits for reclaim, unless its descriptor does not wait.
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
