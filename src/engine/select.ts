import { assertOneOf, TelemetryError } from '../error/index.js';
import { threadMap } from '../realm/thread-map.js';
import type { Engine } from './engine.js';
import { jsEngine } from './js/engine.js';
import { loadNativeEngine } from './native/engine.js';

export { loadNativeEngine };

const ENGINE_CHOICES = ['auto', 'native', 'js'] as const;
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

const WARNING = 'EPISCOPE_JS_ENGINE';
/** Codes of the warnings that were emitted in this thread. */
const given = threadMap<string, true>('warnings');

/**
 * Returns the engine for a choice. `auto` selects the native engine if the addon loads. Otherwise it selects the JS
 * engine and emits the warning `EPISCOPE_JS_ENGINE` once per thread.
 *
 * Throws `ERR_ENGINE_UNAVAILABLE` (`native`, but the addon does not load), `ERR_INVALID_CONFIG` (an unknown choice),
 * `ERR_UNSUPPORTED_PLATFORM` (not Linux).
 */
export function selectEngine(choice: EngineChoice = 'auto'): Engine {
  assertOneOf('engine', choice, ENGINE_CHOICES);
  if (choice === 'js') return jsEngine();
  // Called first because ERR_UNSUPPORTED_PLATFORM says more than a missing addon.
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
