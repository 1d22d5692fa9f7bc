/** Finds the value that is due first: a binary heap ordered by CLOCK_MONOTONIC times. */

interface Item<T> {
  readonly wakeNs: bigint;
  readonly value: T;
}

export class WakeHeap<T> {
  readonly #items: Item<T>[] = [];
  readonly #places = new Map<T, number>();

  /** The earliest wake time, or null if the heap is empty. */
  get firstNs(): bigint | null {
    return this.#items[0]?.wakeNs ?? null;
  }

  /** Adds a value, or changes its wake time. */
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

  /** Returns every value due at `nowNs`, in no order. The values stay in the heap. */
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

  /** Restores the heap order around an index whose item has changed. */
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

  /** Swaps parent and child if the child is earlier. */
  #swapped(above: number, below: number): boolean {
    const one = this.#items[above]!;
    const other = this.#items[below];
    if (other === undefined || other.wakeNs >= one.wakeNs) return false;
    this.#place(other, above);
    this.#place(one, below);
    return true;
  }
}
