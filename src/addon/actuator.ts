/** The actuator thread: actions on cgroups that may stall in the kernel. The types of that part of the addon. */
import { errnoName } from '../error/errno-name.js';
import { nativeEvents } from './events.js';
import { loadAddon } from './load.js';

/** Does one action; the event loop stays alive until it is done. Gives null, or the errno. Null instead: no addon. */
export type NativeAction = (
  directory: string,
  file: string,
  text: string,
) => Promise<string | null>;

export function nativeAction(): NativeAction | null {
  const addon = loadAddon().addon;
  if (addon === null) return null;
  return (directory, file, text) =>
    new Promise((resolve) => {
      const events = nativeEvents();
      const id = events.add(() => done(addon.takeActionResult(id)));
      const done = (errno: number) => {
        events.remove(id);
        events.release();
        resolve(errno === 0 ? null : errnoName(errno));
      };
      events.hold();
      const errno = addon.startAction(directory, file, text, id);
      if (errno !== 0) done(errno);
    });
}
