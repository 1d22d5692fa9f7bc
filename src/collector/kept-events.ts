/**
 * Events that a late listener does not lose: between the start of a session and its first listener there may be an
 * `await`, as when a session starts inside `beforeExec`.
 */
import { EventEmitter } from 'node:events';
import type { HandleEvents } from './events.js';

type Kind = keyof HandleEvents;
/** A listener of the event `K` of a `TelemetryHandle`. */
export type HandleListener<K> = K extends keyof HandleEvents
  ? (...args: HandleEvents[K]) => void
  : never;
type AnyListener = (...args: unknown[]) => void;

/** These happen at most once and stay true: each listener gets them, whenever it is added. */
const LASTING: readonly Kind[] = ['exhausted', 'exit', 'stopped'];
const PASSING: readonly Kind[] = ['source', 'threshold', 'promoted', 'warning'];
/** How many of each kind are kept for its first listener; a session without listeners must not grow. */
const MOST_KEPT = 64;

export class KeptEvents extends EventEmitter<HandleEvents> {
  readonly #kept = new Map<unknown, unknown[][]>();
  readonly #heard = new Set<unknown>();

  override emit<K>(
    event: keyof HandleEvents | K,
    ...args: K extends keyof HandleEvents ? HandleEvents[K] : never
  ): boolean {
    if (isAmong(LASTING, event)) this.#kept.set(event, [args]);
    else if (isAmong(PASSING, event) && !this.#heard.has(event)) this.#keep(event, args);
    return super.emit(event as Kind, ...(args as never));
  }

  override on<K>(event: keyof HandleEvents | K, listener: HandleListener<K>): this {
    super.on(event as Kind, listener as never);
    return this.#tellKept(event, listener as never);
  }

  override addListener<K>(event: keyof HandleEvents | K, listener: HandleListener<K>): this {
    return this.on(event, listener);
  }

  override prependListener<K>(event: keyof HandleEvents | K, listener: HandleListener<K>): this {
    super.prependListener(event as Kind, listener as never);
    return this.#tellKept(event, listener as never);
  }

  #keep(event: unknown, args: unknown[]): void {
    const kept = this.#kept.get(event) ?? [];
    if (kept.length < MOST_KEPT) kept.push(args);
    this.#kept.set(event, kept);
  }

  /** `once` passes a wrapper that removes itself when it is called. */
  #tellKept(event: unknown, listener: AnyListener): this {
    this.#heard.add(event);
    const kept = this.#kept.get(event);
    if (!isAmong(LASTING, event)) this.#kept.delete(event);
    if (kept !== undefined) queueMicrotask(() => this.#tell(event, listener, kept));
    return this;
  }

  #tell(event: unknown, listener: AnyListener, kept: readonly unknown[][]): void {
    for (const [at, args] of kept.entries()) {
      // The listener may have been removed since, or by the previous event.
      if (!this.rawListeners(event as Kind).includes(listener as never)) return;
      try {
        listener.apply(this, args);
      } catch (error) {
        // The error is uncaught, as with any emitter; the events after it are still delivered.
        queueMicrotask(() => this.#tell(event, listener, kept.slice(at + 1)));
        throw error;
      }
    }
  }
}

function isAmong(kinds: readonly unknown[], event: unknown): boolean {
  return kinds.includes(event);
}
