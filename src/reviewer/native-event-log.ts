/** The log's file by the addon: a thread of its own waits for the lock and syncs. */

import type { Addon, NativeEventLog as Native, NativeLogFailure } from '../addon/binding.js';
import { errnoName } from '../error/errno-name.js';
import type { LogCancel } from '../schema/enumerations.js';
import type { EventLog, LogFailure } from './event-log.js';

export class NativeEventLog implements EventLog {
  readonly #native: Native;
  readonly #files: Readonly<Record<NativeLogFailure['file'], string>>;

  constructor(addon: Addon, path: string, lockPath: string) {
    this.#native = new addon.EventLog({ path, lockPath });
    this.#files = { events: path, rotated: `${path}.1`, lock: lockPath };
  }

  append(
    line: string,
    rotateBytes: number,
    end: (failure: LogFailure | null) => void,
  ): () => LogCancel {
    const append = this.#native.append(line, rotateBytes, (failure) =>
      end(failure && this.#failureOf(failure)),
    );
    return () => this.#native.cancel(append);
  }

  #failureOf({ fault, file, errno }: NativeLogFailure): LogFailure {
    return {
      errno: errno === null ? null : errnoName(errno),
      file: this.#files[file],
      why: fault,
    };
  }
}
