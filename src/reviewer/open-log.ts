import type { Addon, NativeEventLog as Native, NativeLogFailure } from '../addon/binding.js';
import { loadAddon } from '../addon/load.js';
import type { EngineName } from '../engine/engine.js';
import { errnoName } from '../error/errno-name.js';
import { TelemetryError } from '../error/index.js';
import type { LogCancel } from '../schema/enumerations.js';
import type { EventLog, LogFailure } from './event-log.js';
import { PlainEventLog } from './plain-event-log.js';

/** Weak references: a queue lives as long as its writers and their appends. */
const plainLogs = new Map<string, WeakRef<EventLog>>();
const dropped = new FinalizationRegistry<string>((path) => {
  if (plainLogs.get(path)?.deref() === undefined) plainLogs.delete(path);
});

/** Returns the one queue of a log for all of its writers: in this thread, or with the addon in the process. */
export function eventLogAt(path: string, lockPath: string, engine: EngineName): EventLog {
  if (engine === 'native') return openNativeLog(path, lockPath);
  const known = plainLogs.get(path)?.deref();
  if (known !== undefined) return known;
  const opened = new PlainEventLog(path);
  plainLogs.set(path, new WeakRef(opened));
  dropped.register(opened, path);
  return opened;
}

function openNativeLog(path: string, lockPath: string): EventLog {
  const { addon, reason } = loadAddon();
  if (addon !== null) return new NativeEventLog(addon, path, lockPath);
  throw new TelemetryError('ERR_ENGINE_UNAVAILABLE', `the addon does not load (${reason})`);
}

/** Writes the log by the addon, where a separate thread waits for the lock and syncs. */
class NativeEventLog implements EventLog {
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
