interface Deadline {
  readonly atMs: number;
  readonly expire: () => void;
}

/** Deadlines that are all equally far away, served by one timer that does not keep the process alive. */
export class Deadlines {
  readonly #timeoutMs: number;
  /** Ordered by deadline. */
  readonly #waiting = new Set<Deadline>();
  #isArmed = false;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Calls `expire` at the deadline, unless the returned function is called first. */
  add(expire: () => void): () => void {
    const deadline = { atMs: performance.now() + this.#timeoutMs, expire };
    this.#waiting.add(deadline);
    if (!this.#isArmed) this.#arm(this.#timeoutMs);
    return () => void this.#waiting.delete(deadline);
  }

  /** A deadline that is added meanwhile does not arm the timer again: checking now and then is cheaper. */
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
