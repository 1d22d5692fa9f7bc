/**
 * What the threads of the addon tell this JavaScript thread: one handler for all, called on its event loop with the
 * ids of those who have news.
 */
import { loadAddon } from './addon.js';

/** What `native/addon/env_events.cc` registers. */
interface EventsBinding {
  setNewsHandler(handler: (ids: Uint32Array) => void): void;
  /** Whether the event loop stays alive for news. It does not by default. */
  setWaiting(waiting: boolean): void;
}

const MAX_ID = 2 ** 32 - 1;

export class NativeEvents {
  readonly #binding: EventsBinding;
  /** Also what keeps a running session from being collected: its listener holds it. */
  readonly #listeners = new Map<number, () => void>();
  #lastId = 0;
  #waiting = 0;

  constructor(binding: EventsBinding) {
    this.#binding = binding;
    binding.setNewsHandler((ids) => {
      for (const id of ids) this.#tell(id);
    });
  }

  /** An id of this thread's own; `listener` is called whenever it has news, until `remove`. */
  add(listener: () => void): number {
    do this.#lastId = this.#lastId === MAX_ID ? 0 : this.#lastId + 1;
    while (this.#listeners.has(this.#lastId));
    this.#listeners.set(this.#lastId, listener);
    return this.#lastId;
  }

  remove(id: number): void {
    this.#listeners.delete(id);
  }

  /** One more who waits: the event loop stays alive. */
  hold(): void {
    this.#waiting++;
    if (this.#waiting === 1) this.#binding.setWaiting(true);
  }

  release(): void {
    this.#waiting--;
    if (this.#waiting === 0) this.#binding.setWaiting(false);
  }

  // A listener that throws is an uncaught exception, like one of any emitter; the others are served all the same.
  #tell(id: number): void {
    try {
      this.#listeners.get(id)?.();
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
    }
  }
}

let events: NativeEvents | undefined;

/** Of this thread; the addon must have loaded. */
export function nativeEvents(): NativeEvents {
  events ??= new NativeEvents(loadAddon().addon as EventsBinding & object);
  return events;
}
