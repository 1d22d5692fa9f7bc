/** Loads the addon, once. Each native object has one file that gives its part of the addon its types. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../realm/index.js';

export type AddonLoad =
  | { readonly addon: object; readonly reason: null }
  | { readonly addon: null; readonly reason: string };

let loaded: AddonLoad | undefined;

/** The addon's exports, or why it did not load (no build, `--no-addons`, another system). */
export function loadAddon(): AddonLoad {
  loaded ??= load();
  return loaded;
}

/** The package's root: where `binding.gyp` and `build/` are. */
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
    const nodeGypBuild: (root: string) => object = require('node-gyp-build');
    return { addon: nodeGypBuild(packageRoot), reason: null };
  } catch (cause) {
    const text = messageOf(cause);
    return { addon: null, reason: text.split('\n', 1)[0] ?? 'unknown' };
  }
}
