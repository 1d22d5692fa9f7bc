/**
 * State that a thread has once, however often the package is evaluated in it: test runners give each file its own
 * module registry and realm, hot reloaders evaluate modules again. State of a single evaluation stays in its modules.
 */
import { runInThisContext } from 'node:vm';

/** The global object of the thread's first realm, whatever realm this module is evaluated in. */
const threadGlobal = runInThisContext('globalThis') as { [REGISTRY]?: Map<string, unknown> };
const REGISTRY = Symbol.for('episcope.thread');

// A map made here would keep the realm of the first evaluation alive for as long as the thread.
const newMap: () => Map<never, never> = runInThisContext('() => new Map()');

/**
 * The map of this name, the same for every evaluation in this thread. Other versions of the package may be among
 * them, so a name must be changed when its keys or values get another meaning.
 */
export function threadMap<K, V>(name: string): Map<K, V> {
  let registry = threadGlobal[REGISTRY];
  if (registry === undefined) {
    registry = newMap() as Map<string, unknown>;
    Object.defineProperty(threadGlobal, REGISTRY, { value: registry });
  }
  let map = registry.get(name) as Map<K, V> | undefined;
  if (map === undefined) {
    map = newMap() as Map<K, V>;
    registry.set(name, map);
  }
  return map;
}
