/** Watches the population of a cgroup by `fs.watch` on its `cgroup.events`. The events are only hints. */
import { type FSWatcher, watch } from 'node:fs';

/**
 * Calls `changed` when the file changes, until the returned function is called or the file is removed. If the file
 * cannot be watched (ENOSPC: no inotify watch is left), `changed` is never called, and the next sample detects the end.
 */
export function watchPopulation(path: string, changed: () => void): () => void {
  let watcher: FSWatcher;
  try {
    watcher = watch(path, { persistent: false });
  } catch {
    return () => {};
  }
  const close = (): void => watcher.close();
  watcher.on('error', close);
  watcher.on('change', (event) => {
    // 'rename' means that the cgroup was removed, so no more events follow.
    if (event === 'rename') close();
    changed();
  });
  return close;
}
