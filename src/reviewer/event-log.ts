/** What a writer writes through: one queue of each log in this thread, in the order of the appends. */
import type { EngineName } from '../engine/engine.js';
import { NativeEventLog } from './native-event-log.js';
import { PlainEventLog } from './plain-event-log.js';

/** Why a line is not on disk. */
export interface LogFailure {
  /** `file` is it about: the log, its `.1` or its lock file. */
  readonly file: string;
  /** What the kernel said, or null: `why` tells. */
  readonly errno: string | null;
  readonly why: 'errno' | 'not-regular' | 'foreign';
}

/** `'too-late'`: it is written, or being written; else nothing of it will be, and it waited for that. */
export type LogCancel = 'too-late' | 'lock' | 'write';

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

/** Weak: a queue lives as long as its writers, and what they append. */
const logs = new Map<string, WeakRef<EventLog>>();
const dropped = new FinalizationRegistry<string>((key) => {
  if (logs.get(key)?.deref() === undefined) logs.delete(key);
});

/** The log at these absolute paths: the same for all writers of this thread. */
export function eventLogAt(path: string, lockPath: string, engine: EngineName): EventLog {
  const key = JSON.stringify([engine, path, lockPath]);
  const known = logs.get(key)?.deref();
  if (known !== undefined) return known;
  const opened = engine === 'native' ? new NativeEventLog(path, lockPath) : new PlainEventLog(path);
  logs.set(key, new WeakRef(opened));
  dropped.register(opened, key);
  return opened;
}
