/**
 * What the threads of the addon tell this JavaScript thread: listeners are called on its event loop. The addon keeps
 * them, with their ids, because every evaluation of the package in this thread finds the same addon.
 */
import { nextTick } from 'node:process';
import type { Addon } from './binding.js';
import { loadAddon } from './load.js';

export class NativeEvents {
  readonly #binding: Addon;

  constructor(binding: Addon) {
    this.#binding = binding;
  }

  /**
   * An id that nobody else in this thread has; `listener` is called whenever it has news, until `remove`. That is also
   * what keeps a running session from being collected: its listener holds it.
   */
  add(listener: () => void): number {
    // A listener that throws is an uncaught exception, like one of any emitter; the others are served all the same.
    return this.#binding.addListener(() => {
      try {
        listener();
      } catch (error) {
        nextTick(() => {
          throw error;
        });
      }
    });
  }

  remove(id: number): void {
    this.#binding.removeListener(id);
  }

  /** One more who waits: the event loop stays alive. */
  hold(): void {
    this.#binding.holdLoop();
  }

  release(): void {
    this.#binding.releaseLoop();
  }
}

let events: NativeEvents | undefined;

/** Of this thread; the addon must have loaded. */
export function nativeEvents(): NativeEvents {
  events ??= new NativeEvents(loadAddon().addon as Addon);
  return events;
}
