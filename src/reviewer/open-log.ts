import { loadAddon } from '../addon/load.js';
import type { EngineName } from '../engine/engine.js';
import { TelemetryError } from '../error/index.js';
import type { EventLog } from './event-log.js';
import { NativeEventLog } from './native-event-log.js';
import { PlainEventLog } from './plain-event-log.js';

/** Weak: a queue lives as long as its writers, and what they append. */
const plainLogs = new Map<string, WeakRef<EventLog>>();
const dropped = new FinalizationRegistry<string>((path) => {
  if (plainLogs.get(path)?.deref() === undefined) plainLogs.delete(path);
});

/** One queue for each log, whatever number of writers it has: of this thread, with the addon of the process. */
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
