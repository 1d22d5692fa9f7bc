/** Writes to cgroups off the event loop, because the kernel may stall one for tens of milliseconds. */
import { rmdir } from 'node:fs/promises';
import { nativeAction } from '../addon/actuator.js';
import { writeControlFile } from './control-file.js';
import { errnoOf } from './errno.js';

/** Neither method rejects. If the addon loads, actions run in the order of the calls. */
export interface CgroupActions {
  /** Writes `text` to a control file (`cgroup.kill`, `cgroup.freeze`, `cgroup.procs`, …), in one write. Returns null, or the errno. */
  write(directory: string, file: string, text: string): Promise<string | null>;
  /** Removes the directory. Returns null, or the errno. */
  remove(directory: string): Promise<string | null>;
}

/** Uses the addon's actuator thread, or Node's thread pool if the addon does not load. */
export function cgroupActions(): CgroupActions {
  const act = nativeAction();
  if (act === null) return threadPoolActions;
  return {
    write: (directory, file, text) =>
      withoutNul([directory, file], () => act(directory, file, text)),
    remove: (directory) => withoutNul([directory], () => act(directory, '', '')),
  };
}

/** @internal The actions without the addon. */
export const threadPoolActions: CgroupActions = {
  write: (directory, file, text) =>
    withoutNul([directory, file], () => writeControlFile(`${directory}/${file}`, text)),
  remove: (directory) =>
    withoutNul([directory], async () => {
      await rmdir(directory);
      return null;
    }),
};

/** A C string would end at a NUL and so name another file. */
async function withoutNul(
  names: readonly string[],
  act: () => Promise<string | null>,
): Promise<string | null> {
  if (names.some((name) => name.includes('\0'))) return 'EINVAL';
  try {
    return await act();
  } catch (cause) {
    return errnoOf(cause);
  }
}
