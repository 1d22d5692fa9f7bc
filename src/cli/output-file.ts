/** `--json`, `--record`: files that are opened before the command runs. */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errnoOf } from '../kernel/errno.js';
import { isSameFile } from '../kernel/syscall.js';
import { namesDescriptor } from '../recorder/place.js';
import { writeAll } from './output.js';

/** Without O_NONBLOCK the open of a FIFO without a reader would hang and handle no signals. */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK;

const STANDARD_STREAMS = [0, 1, 2];

/** A text file. The first failed write is reported and closes the file; the run goes on. */
export class OutputFile {
  readonly path: string;
  readonly #option: string;
  readonly #warn: (message: string) => void;
  /** Other processes write to this file too, so its content is neither dropped nor checked for changes. */
  readonly #isShared: boolean;
  /** The path with links resolved. */
  readonly #realPath: string;
  #fd: number | null;

  /**
   * Opens the file but does not empty it yet. Throws the error of `open`, so that a file that cannot be opened is
   * reported before anything is run. `option` and `path` name it in messages.
   */
  constructor(option: string, path: string, warn: (message: string) => void) {
    this.path = path;
    this.#option = option;
    this.#warn = warn;
    this.#fd = openSync(path, FLAGS, 0o666);
    const fd = this.#fd;
    this.#isShared =
      namesDescriptor(resolve(path)) || STANDARD_STREAMS.some((stream) => isSame(fd, stream));
    this.#realPath = realPathOf(path);
  }

  /** Whether it is not a FIFO or a device. False once it is closed. */
  get isRegular(): boolean {
    return this.#fd !== null && fstatSync(this.#fd).isFile();
  }

  isSameAs(other: OutputFile): boolean {
    if (this.#fd === null || other.#fd === null) return false;
    return this.isRegular && isSame(this.#fd, other.#fd);
  }

  /** Empties a regular file, unless it is a shared stream: `>> file` keeps its content. */
  truncate(): void {
    if (this.#fd !== null && this.isRegular && !this.#isShared) ftruncateSync(this.#fd);
  }

  write(text: string): void {
    if (this.#fd === null) return;
    try {
      if (this.isRegular && !this.#isShared) this.#fd = this.#unchanged(this.#fd);
      writeAll(this.#fd, text);
    } catch (cause) {
      this.#warn(this.incomplete(errnoOf(cause)));
      this.close();
    }
  }

  /** Returns the message about a failed write. */
  incomplete(errno: string): string {
    return `${this.#option} ${this.path} is incomplete: it cannot be written (${errno})`;
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  /** Returns the file, or a new one if another process removed or renamed it. Throws the system error. */
  #unchanged(fd: number): number {
    if (isAt(this.#realPath, fd)) {
      if (fstatSync(fd).size > 0) {
        this.#warn(`${this.#option} ${this.path} begins with what somebody else wrote meanwhile`);
      }
      return fd;
    }
    const what = fstatSync(fd).nlink === 0 ? 'removed' : 'renamed';
    const anew = openAnew(this.#realPath);
    closeSync(fd);
    this.#warn(`${this.#option} ${this.path} was ${what} by somebody else; it is written anew`);
    return anew;
  }
}

/** Whether both descriptors refer to the same file; false if one of them is not open. */
function isSame(fd: number, other: number): boolean {
  try {
    const [a, b] = [fstatSync(fd, { bigint: true }), fstatSync(other, { bigint: true })];
    return isSameFile(a, b);
  } catch {
    return false;
  }
}

/** Whether the path refers to the open file; true if that cannot be determined. */
function isAt(path: string, fd: number): boolean {
  try {
    const named = statSync(path, { bigint: true, throwIfNoEntry: false });
    const opened = fstatSync(fd, { bigint: true });
    return named !== undefined && isSameFile(named, opened);
  } catch (cause) {
    return !['ENOTDIR', 'ELOOP', 'ESTALE'].includes(errnoOf(cause));
  }
}

/** Opens a new or an empty file. Throws `EEXIST` if there is something else, or another system error. */
function openAnew(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isFile() && found.size === 0) return openSync(path, FLAGS | constants.O_NOFOLLOW);
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, FLAGS | constants.O_EXCL, 0o666);
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // A pipe has no path.
    return path;
  }
}
