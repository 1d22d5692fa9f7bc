/** A hint that the population of a cgroup changed: `fs.watch` on its `cgroup.events`. */
import { type FSWatcher, watch } from 'node:fs';

/**
 * Calls `changed` when the file changes, until the returned function is called or the file is removed. Where it
 * cannot be watched (ENOSPC: no inotify watch is left) it is never called, and the end shows at the next sample.
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
    // 'rename': the cgroup was removed, and nothing more will happen to this file.
    if (event === 'rename') close();
    changed();
  });
  return close;
}
