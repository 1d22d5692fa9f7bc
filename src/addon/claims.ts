/** Which episodes are being sampled in this process, whatever the thread: the types of that part of the addon. */
import type { Addon } from './binding.js';
import { loadAddon } from './load.js';

/** null where the addon does not load. */
export function episodeClaims(): Addon | null {
  return loadAddon().addon;
}
