/** One queue of each log in this thread, whatever number of writers it has. */
import type { EngineName } from '../engine/engine.js';
import type { EventLog } from './event-log.js';
import { NativeEventLog } from './native-event-log.js';
import { PlainEventLog } from './plain-event-log.js';

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
