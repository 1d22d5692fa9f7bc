/**
 * One process's directory in procfs. What is opened beneath it belongs to that process for ever: once it is gone
 * every read says so (ESRCH, ENOENT), also when its pid number is used again.
 */
import { descriptorBudget, KeptFile, ReadStatus, readBuffer, readOnce } from './kept-file.js';
import { parsePids } from './parse-pids.js';
import { beneath, close, Errno, listDirectory, openDirectoryPath } from './syscall.js';

export class ProcessDirectory {
  readonly stat = new KeptFile('stat');
  readonly statm = new KeptFile('statm');
  readonly io = new KeptFile('io');
  readonly #path: string;
  #fd = -1;
  #isKept = false;

  constructor(procRoot: string, pid: number) {
    this.#path = `${procRoot}/${pid}`;
  }

  /** Between `enter` and `leave`: the directory's descriptor. */
  get fd(): number {
    return this.#fd;
  }

  /**
   * Opens the directory unless it is. Returns 0 or a negative errno. Beyond the descriptor budget it is opened for
   * each sample anew, and may be another process's: the caller compares the starttime.
   */
  enter(): number {
    if (this.#fd >= 0) return 0;
    const fd = openDirectoryPath(this.#path);
    if (fd < 0) return fd;
    this.#fd = fd;
    this.#isKept = descriptorBudget.take();
    return 0;
  }

  leave(): void {
    if (this.#fd < 0 || this.#isKept) return;
    close(this.#fd);
    this.#fd = -1;
  }

  close(): void {
    this.stat.close();
    this.statm.close();
    this.io.close();
    if (this.#isKept) descriptorBudget.giveBack();
    this.#isKept = false;
    this.leave();
  }

  /**
   * Appends the children of every thread (`task/<tid>/children`): a child belongs to the thread that forked it.
   * False when a list was there and could not be read whole.
   */
  children(pids: number[]): boolean {
    const tasks = listDirectory(beneath(this.#fd, 'task'));
    if (typeof tasks === 'number') return isNoSuchThing(tasks);
    let whole = true;
    for (const { name } of tasks) {
      const status = readOnce(beneath(this.#fd, `task/${name}/children`));
      if (status === ReadStatus.OK || status === ReadStatus.TOO_LARGE) {
        const complete = parsePids(readBuffer.bytes, listedBytes(status), pids);
        if (!complete || status !== ReadStatus.OK) whole = false;
      } else if (!isNoSuchThing(readBuffer.errno)) {
        whole = false;
      }
    }
    return whole;
  }
}

/** A thread that just ended, a kernel without `children`, a fixture without threads. */
function isNoSuchThing(errno: number): boolean {
  return errno === Errno.ENOENT || errno === Errno.ESRCH;
}

/** Of a list that was cut, without its last number: that may be cut too. */
function listedBytes(status: number): number {
  const { bytes, size } = readBuffer;
  return status === ReadStatus.OK ? size : bytes.lastIndexOf(0x20) + 1;
}
