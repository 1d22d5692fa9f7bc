/** Loads the addon, once. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../realm/index.js';
import type { Addon } from './binding.js';

export type AddonLoad =
  | { readonly addon: Addon; readonly reason: null }
  | { readonly addon: null; readonly reason: string };

let loaded: AddonLoad | undefined;

/** The addon's exports, or why it did not load (no build, `--no-addons`, another system). */
export function loadAddon(): AddonLoad {
  loaded ??= load();
  return loaded;
}

/** The root directory of the package, which contains `binding.gyp` and `build/`. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

function load(): AddonLoad {
  if (process.platform !== 'linux') {
    return {
      addon: null,
      reason: `the addon reads Linux kernel files; this is ${process.platform}`,
    };
  }
  try {
    const require = createRequire(import.meta.url);
    const nodeGypBuild: (root: string) => Addon = require('node-gyp-build');
    return { addon: nodeGypBuild(packageRoot), reason: null };
  } catch (cause) {
    const text = messageOf(cause);
    return { addon: null, reason: text.split('\n', 1)[0] ?? 'unknown' };
  }
}
