import { assertOneOf, TelemetryError } from '../error/index.js';
import { threadMap } from '../realm/thread-map.js';
import type { Engine } from './engine.js';
import { jsEngine } from './js/engine.js';
import { loadNativeEngine } from './native/engine.js';

export { loadNativeEngine };

const ENGINE_CHOICES = ['auto', 'native', 'js'] as const;
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

const WARNING = 'EPISCOPE_JS_ENGINE';
/** Codes of the warnings that this thread has been given. */
const given = threadMap<string, true>('warnings');

/**
 * The engine for a choice. `auto` takes the native one where the addon loads, else the JS one, and says so
 * once per thread (a warning `EPISCOPE_JS_ENGINE`).
 *
 * Throws `ERR_ENGINE_UNAVAILABLE` (`native` where the addon does not load), `ERR_INVALID_CONFIG` (another
 * value), `ERR_UNSUPPORTED_PLATFORM` (not Linux).
 */
export function selectEngine(choice: EngineChoice = 'auto'): Engine {
  assertOneOf('engine', choice, ENGINE_CHOICES);
  if (choice === 'js') return jsEngine();
  // On another system this throws ERR_UNSUPPORTED_PLATFORM, which says more than a missing addon.
  const fallback = jsEngine();
  const { engine, reason } = loadNativeEngine();
  if (engine !== null) return engine;
  if (choice === 'native') {
    throw new TelemetryError(
      'ERR_ENGINE_UNAVAILABLE',
      `the native engine does not load: ${reason}. Build it with "npm rebuild episcope", or use engine 'js'`,
    );
  }
  if (!given.has(WARNING)) {
    given.set(WARNING, true);
    process.emitWarning(`the addon does not load (${reason}); engine: 'js'`, { code: WARNING });
  }
  return fallback;
}
