/** Ends a start on a signal: until the command runs, there is no process to pass it on to. */
import { ENDING } from './enforcement.js';

/** The start was ended by a signal; nothing was run. */
export class Interrupted extends Error {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal} before the command ran`);
    this.signal = signal;
  }
}

/** A released command may already be running. Unless its exec hangs, that is reported within this time. */
const HANGS_MS = 1_000;

export class StartAbort {
  readonly #controller = new AbortController();
  #stage: 'before' | 'let go' | 'over' = 'before';
  #timer: NodeJS.Timeout | null = null;

  /** Aborted with an `Interrupted`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A `SignalTaker`: a signal that would end a run ends its start. */
  takes(signal: NodeJS.Signals): boolean {
    if (!ENDING.includes(signal) || this.#stage === 'over') return false;
    if (this.#stage === 'before') {
      this.#abort(signal);
      return true;
    }
    // The signal is passed on to the command, which dies of it or runs.
    this.#timer ??= setTimeout(() => this.#abort(signal), HANGS_MS);
    return false;
  }

  /** Called when a start begins. */
  begin(): void {
    this.#stage = 'before';
  }

  /** Called when the held command is about to be released. */
  letGo(): void {
    this.#stage = 'let go';
  }

  /** Called when the command runs or will never run. */
  over(): void {
    this.#stage = 'over';
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #abort(signal: NodeJS.Signals): void {
    this.#controller.abort(new Interrupted(signal));
  }
}
