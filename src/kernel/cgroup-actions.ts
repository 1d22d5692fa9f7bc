/** Writes to a cgroup that may stall in the kernel for tens of milliseconds: none of them blocks the event loop. */
import { rmdir } from 'node:fs/promises';
import { nativeAction } from '../addon/actuator.js';
import { writeControlFile } from './control-file.js';
import { errnoOf } from './errno.js';

/** Neither method rejects. They are done in the order they were called where the addon loads. */
export interface CgroupActions {
  /** Writes `text` to a control file (`cgroup.kill`, `cgroup.freeze`, `cgroup.procs`, …), in one write. null, or the errno. */
  write(directory: string, file: string, text: string): Promise<string | null>;
  /** rmdir. null, or the errno. */
  remove(directory: string): Promise<string | null>;
}

/** By the addon's actuator thread; without the addon by Node's thread pool. */
export function cgroupActions(): CgroupActions {
  const act = nativeAction();
  if (act === null) return threadPoolActions;
  return {
    write: (directory, file, text) =>
      withoutNul([directory, file], () => act(directory, file, text)),
    remove: (directory) => withoutNul([directory], () => act(directory, '', '')),
  };
}

/** @internal The actions where there is no addon. */
export const threadPoolActions: CgroupActions = {
  write: (directory, file, text) =>
    withoutNul([directory, file], () => writeControlFile(`${directory}/${file}`, text)),
  remove: (directory) =>
    withoutNul([directory], async () => {
      await rmdir(directory);
      return null;
    }),
};

/** A C string would end at a NUL, and name another file. */
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
