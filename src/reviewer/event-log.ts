/** The queue through which writers write, in the order of their calls. */
import type { LogCancel, LogFault } from '../schema/enumerations.js';

/** Why a line is not on disk. */
export interface LogFailure {
  /** The file that failed: the log, its `.1` or its lock file. */
  readonly file: string;
  /** The errno, or null if there is none: then `why` is the reason. */
  readonly errno: string | null;
  readonly why: LogFault;
}

export interface EventLog {
  /**
   * `line` includes its newline. `end` is called with null when the line is on disk, unless the returned function
   * cancelled it; until then the event loop is kept alive.
   */
  append(
    line: string,
    rotateBytes: number,
    end: (failure: LogFailure | null) => void,
  ): () => LogCancel;
}
