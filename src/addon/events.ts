/**
 * What the threads of the addon tell this JavaScript thread: listeners are called on its event loop. The addon keeps
 * them, with their ids, because every evaluation of the package in this thread finds the same addon.
 */
import { nextTick } from 'node:process';
import { loadAddon } from './load.js';

/** What `native/addon/env_events.cc` registers. */
interface EventsBinding {
  /** The id whose news `listener` is called for. It must not throw. */
  addListener(listener: () => void): number;
  removeListener(id: number): void;
  /** The event loop stays alive for news until each `holdLoop` has its `releaseLoop`. */
  holdLoop(): void;
  releaseLoop(): void;
}

export class NativeEvents {
  readonly #binding: EventsBinding;

  constructor(binding: EventsBinding) {
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
  events ??= new NativeEvents(loadAddon().addon as EventsBinding & object);
  return events;
}
