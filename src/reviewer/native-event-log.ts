/** The log's file by the addon: a thread of its own waits for the lock and syncs. */

import type { Addon, NativeLog } from '../addon/binding.js';
import { nativeEvents } from '../addon/events.js';
import { loadAddon } from '../addon/load.js';
import { errnoName } from '../error/errno-name.js';
import { LOG_CANCELS, LOG_FAULTS, type LogCancel } from '../schema/enumerations.js';
import type { EventLog, LogFailure } from './event-log.js';

export class NativeEventLog implements EventLog {
  readonly #binding = loadAddon().addon as Addon;
  readonly #log: NativeLog;
  readonly #files: readonly string[];

  constructor(path: string, lockPath: string) {
    this.#log = this.#binding.openLog(path, lockPath);
    this.#files = [path, `${path}.1`, lockPath];
  }

  append(
    line: string,
    rotateBytes: number,
    end: (failure: LogFailure | null) => void,
  ): () => LogCancel {
    const events = nativeEvents();
    const id = events.add(() => {
      const failure = this.#failureOf(this.#binding.takeActionResult(id));
      forget();
      end(failure);
    });
    const forget = (): void => {
      events.remove(id);
      events.release();
    };
    events.hold();
    const errno = this.#binding.appendToLog(this.#log, line, rotateBytes, id);
    if (errno !== 0) {
      forget();
      // Who called does not have what this returns yet.
      queueMicrotask(() => end(this.#failureOf(errno)));
    }
    return () => {
      const cancelled = LOG_CANCELS[this.#binding.cancelAppend(this.#log, id)] ?? 'too-late';
      // Nothing is told of it any more.
      if (cancelled !== 'too-late') forget();
      return cancelled;
    };
  }

  #failureOf(packed: number): LogFailure | null {
    if (packed === 0) return null;
    const errno = packed & 0xffff;
    return {
      errno: errno === 0 ? null : errnoName(errno),
      file: this.#files[(packed >> 16) & 0xff] ?? '',
      why: LOG_FAULTS[packed >> 24] || 'errno',
    };
  }
}
