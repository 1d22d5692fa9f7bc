/** Which of many wants to be woken first: a binary heap over CLOCK_MONOTONIC times. */

interface Item<T> {
  readonly wakeNs: bigint;
  readonly value: T;
}

export class WakeHeap<T> {
  readonly #items: Item<T>[] = [];
  readonly #places = new Map<T, number>();

  /** When the first wants to be woken; null when there is none. */
  get firstNs(): bigint | null {
    return this.#items[0]?.wakeNs ?? null;
  }

  /** Adds a value, or changes when it wants to be woken. */
  set(value: T, wakeNs: bigint): void {
    const at = this.#places.get(value) ?? this.#items.length;
    this.#place({ wakeNs, value }, at);
    this.#sift(at);
  }

  delete(value: T): void {
    const at = this.#places.get(value);
    if (at === undefined) return;
    this.#places.delete(value);
    const last = this.#items.pop();
    if (last === undefined || last.value === value) return;
    this.#place(last, at);
    this.#sift(at);
  }

  /** Every value that wants to be woken by then, in no order. They stay. */
  until(nowNs: bigint): T[] {
    const found: T[] = [];
    const look = (at: number): void => {
      const item = this.#items[at];
      if (item === undefined || item.wakeNs > nowNs) return;
      found.push(item.value);
      look(2 * at + 1);
      look(2 * at + 2);
    };
    look(0);
    return found;
  }

  #place(item: Item<T>, at: number): void {
    this.#items[at] = item;
    this.#places.set(item.value, at);
  }

  /** Restores the order around a place whose item is new. */
  #sift(start: number): void {
    let at = start;
    for (let above = (at - 1) >> 1; at > 0 && this.#swapped(above, at); above = (at - 1) >> 1) {
      at = above;
    }
    for (let below = this.#earlierBelow(at); this.#swapped(at, below); ) {
      at = below;
      below = this.#earlierBelow(at);
    }
  }

  #earlierBelow(at: number): number {
    const left = this.#items[2 * at + 1];
    const right = this.#items[2 * at + 2];
    return 2 * at + (right !== undefined && right.wakeNs < left!.wakeNs ? 2 : 1);
  }

  /** Swaps two places where the lower one is earlier. */
  #swapped(above: number, below: number): boolean {
    const one = this.#items[above]!;
    const other = this.#items[below];
    if (other === undefined || other.wakeNs >= one.wakeNs) return false;
    this.#place(other, above);
    this.#place(one, below);
    return true;
  }
}
