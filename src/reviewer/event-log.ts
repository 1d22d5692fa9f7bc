/** What a writer writes through: a queue, written first come, first served. */
import type { LogCancel, LogFault } from '../schema/enumerations.js';

/** Why a line is not on disk. */
export interface LogFailure {
  /** The file that it is about: the log, its `.1` or its lock file. */
  readonly file: string;
  /** What the kernel said, or null: `why` tells. */
  readonly errno: string | null;
  readonly why: LogFault;
}

export interface EventLog {
  /**
   * `line` has its newline. `end` is called with null when it is on disk, unless it was cancelled by what this returns;
   * until then the event loop lives.
   */
  append(
    line: string,
    rotateBytes: number,
    end: (failure: LogFailure | null) => void,
  ): () => LogCancel;
}
