// The memory model of C++20 for one thread that only stores and one that only loads. Enumerates, one execution after
// the other, every value that a load may see (RC11: happens-before, coherence, fences, seq_cst).
//
// With a single storing thread, the modification order of a cell is that thread's program order. What another thread
// knows of the stores is therefore one number: the position in the log up to which they happened before. Readers store
// nothing, so they do not affect each other.

/**
 * The values of std::memory_order in use, as gcc and clang number them, and PLAIN for JavaScript's `array[i]`, which is
 * constrained by happens-before alone, not even by the last value seen of the same cell.
 */
export const Order = { PLAIN: -1, RELAXED: 0, ACQUIRE: 2, RELEASE: 3, SEQ_CST: 5 };

/**
 * How often in a row a cell may show the same store although there is a newer one. Without this bound, a reader that
 * polls until something changes would never end.
 */
const PATIENCE = 4;

/** The stores of the writer, by cell (u32 word of the shared memory). */
export class WriterLog {
  #cells = new Map();
  #memory;
  #position = 0;
  #fence = 0;

  /** `memory` has the initial contents, as a Uint32Array. */
  constructor(memory) {
    this.#memory = memory;
  }

  get position() {
    return this.#position;
  }

  // A release store publishes everything before it, a relaxed one what the last fence published. In C++20, a later
  // relaxed store of the same thread does not belong to the release sequence.
  store(cell, value, order) {
    const position = ++this.#position;
    let told = position;
    if (order === Order.RELAXED) told = this.#fence;
    if (order === Order.PLAIN) told = 0;
    const sequential = order === Order.SEQ_CST;
    this.of(cell).push({ position, value, told, sequential });
  }

  fence(order) {
    if (order !== Order.ACQUIRE) this.#fence = this.#position;
  }

  /** Returns the writer's own view of the cell, which is its last store. */
  load(cell) {
    return this.of(cell).at(-1).value;
  }

  /** Every cell that the writer or a reader has accessed so far. */
  get touched() {
    return [...this.#cells.keys()];
  }

  /** Returns the stores to a cell, oldest first, starting with the initial contents. */
  of(cell) {
    let stores = this.#cells.get(cell);
    if (stores === undefined) {
      stores = [{ position: 0, value: this.#memory[cell], told: 0, sequential: false }];
      this.#cells.set(cell, stores);
    }
    return stores;
  }
}

/** One execution of a reader. `choose(n)` selects the store that each load sees. */
export class ReaderView {
  #log;
  #choose;
  #hearsay;
  #known = 0;
  #fenced = 0;
  /** The seq_cst store that the last seq_cst load saw, which precedes that load in the total order of seq_cst accesses. */
  #instant = 0;
  /** By cell: the position of the store that this thread last saw, and how often in a row. */
  #seen = new Map();
  #times = new Map();
  #asleep = false;
  /** All loads, to show how a violation comes about. */
  loads = [];

  /** `hearsay` is a cell whose loads do not synchronize, or null. */
  constructor(log, choose, hearsay) {
    this.#log = log;
    this.#choose = choose;
    this.#hearsay = hearsay;
  }

  /** Runs `act` with the initial memory: no store of the writer is visible. */
  before(act) {
    this.#asleep = true;
    const result = act();
    this.#asleep = false;
    this.#times.clear();
    return result;
  }

  /** Makes all stores visible, as a join of the writer's thread does. */
  join() {
    this.#known = this.#log.position;
  }

  load(cell, order) {
    const plain = order === Order.PLAIN;
    const sequential = order === Order.SEQ_CST && cell !== this.#hearsay;
    const store = this.#pick(this.#visible(cell, plain, sequential));
    if (!plain) this.#saw(cell, store.position);
    if (!plain && cell !== this.#hearsay) {
      this.#fenced = Math.max(this.#fenced, store.told);
      if (order !== Order.RELAXED) this.#known = Math.max(this.#known, store.told);
      if (sequential && store.sequential) this.#instant = Math.max(this.#instant, store.position);
    }
    this.loads.push({ cell, order, value: store.value });
    return store.value;
  }

  fence(order) {
    if (order !== Order.RELEASE) this.#known = Math.max(this.#known, this.#fenced);
  }

  // A load sees no store older than one that happened before or than the last one this thread saw of the cell. A seq_cst
  // load also sees nothing that a seq_cst store had replaced before the instant of an earlier seq_cst load. Of several
  // stores of the same value only the oldest is tried: it publishes least, since the same line of code made them all, so
  // every continuation of the others is also one of it.
  #visible(cell, plain, sequential) {
    const stores = this.#log.of(cell);
    const least = plain ? this.#known : Math.max(this.#known, this.#seen.get(cell) ?? 0);
    const visible = [];
    for (let i = stores.length - 1; i >= 0; i--) {
      const store = stores[i];
      const same = visible.findIndex(({ value }) => value === store.value);
      if (same >= 0) visible.splice(same, 1);
      visible.push(store);
      if (store.position <= least) break;
      if (sequential && store.sequential && store.position <= this.#instant) break;
    }
    const again = visible.at(-1).position === this.#seen.get(cell);
    if (again && visible.length > 1 && this.#times.get(cell) >= PATIENCE) visible.pop();
    return visible.reverse();
  }

  #saw(cell, position) {
    const times = this.#seen.get(cell) === position ? (this.#times.get(cell) ?? 0) : 0;
    this.#times.set(cell, times + 1);
    this.#seen.set(cell, position);
  }

  #pick(visible) {
    if (this.#asleep || visible.length === 1) return visible[0];
    return visible[this.#choose(visible.length)];
  }
}

/**
 * Runs `act(view)` for every execution and returns their number. If `act` throws, adds the loads that led there as
 * `loads` to the error and rethrows it.
 */
export function explore(log, hearsay, act) {
  const path = [];
  let executions = 0;
  do {
    let depth = 0;
    const view = new ReaderView(
      log,
      (options) => {
        if (depth === path.length) path.push({ chosen: 0, options });
        return path[depth++].chosen;
      },
      hearsay,
    );
    try {
      act(view);
    } catch (error) {
      error.loads = view.loads;
      throw error;
    }
    executions++;
    while (path.length > 0 && path.at(-1).chosen + 1 === path.at(-1).options) path.pop();
    if (path.length > 0) path.at(-1).chosen++;
  } while (path.length > 0);
  return executions;
}
