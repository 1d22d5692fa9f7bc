interface Deadline {
  readonly atMs: number;
  readonly expire: () => void;
}

/** Who waits at most the same time, with one timer for all: it keeps no process alive. */
export class Deadlines {
  readonly #timeoutMs: number;
  /** In the order of their deadlines. */
  readonly #waiting = new Set<Deadline>();
  #isArmed = false;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Calls `expire` when the time is over, unless the returned function was called before. */
  add(expire: () => void): () => void {
    const deadline = { atMs: performance.now() + this.#timeoutMs, expire };
    this.#waiting.add(deadline);
    if (!this.#isArmed) this.#arm(this.#timeoutMs);
    return () => void this.#waiting.delete(deadline);
  }

  /** Whoever has come meanwhile is not armed for: that costs more than a look now and then. */
  #arm(ms: number): void {
    this.#isArmed = true;
    setTimeout(() => this.#look(), Math.max(1, ms)).unref();
  }

  #look(): void {
    this.#isArmed = false;
    const nowMs = performance.now();
    for (const deadline of this.#waiting) {
      if (deadline.atMs > nowMs) {
        this.#arm(deadline.atMs - nowMs);
        return;
      }
      this.#waiting.delete(deadline);
      deadline.expire();
    }
  }
}
