/** The engines that every shared table runs on. EPISCOPE_TEST_ENGINE=js runs without an addon, and says so. */
import { loadNativeEngine } from '../../src/engine/native/engine.js';

const only = process.env.EPISCOPE_TEST_ENGINE;

if (only === 'js') console.log("EPISCOPE_TEST_ENGINE=js: the native engine's cases are left out");
else if (loadNativeEngine().engine === null) {
  throw new Error(`the addon does not load (${loadNativeEngine().reason}): npm run build:addon`);
}

export const ENGINES: readonly ('native' | 'js')[] = only === 'js' ? ['js'] : ['native', 'js'];
