/** Writing a control file of a cgroup by Node's thread pool: the kernel may stall such a write for long. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { getSystemErrorName } from 'node:util';

/** Writes `text` in one write. null, or the symbolic errno; never rejects. */
export async function writeControlFile(path: string, text: string): Promise<string | null> {
  // The write of a limit waits for reclaim, unless its descriptor does not wait.
  const isLimit = path.slice(path.lastIndexOf('/') + 1).startsWith('memory.');
  const flags = constants.O_WRONLY | constants.O_NOFOLLOW | (isLimit ? constants.O_NONBLOCK : 0);
  try {
    const file = await open(path, flags);
    try {
      const { bytesWritten } = await file.write(text);
      return bytesWritten === Buffer.byteLength(text) ? null : 'EIO';
    } finally {
      await file.close();
    }
  } catch (cause) {
    const known = cause instanceof Error && 'errno' in cause && typeof cause.errno === 'number';
    return known ? getSystemErrorName(cause.errno as number) : String(cause);
  }
}
