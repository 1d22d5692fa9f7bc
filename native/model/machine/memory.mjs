// The memory of C++20 for one thread that only stores and one that only loads: every value that the model lets a
// load see (RC11: happens-before, coherence, fences, seq_cst), one execution after the other.
//
// With one storing thread the modification order of a cell is that thread's program order, so what somebody knows
// of the stores is one number: the position in the log up to which they happened before. Readers store nothing, so
// each is as free as if it were the only one.

/**
 * The values of std::memory_order that matter, as gcc and clang number them, and JavaScript's `array[i]`: bound by
 * what happened before and by nothing else, not even by what the same cell showed last.
 */
export const Order = { PLAIN: -1, RELAXED: 0, ACQUIRE: 2, RELEASE: 3, SEQ_CST: 5 };

/**
 * How often in a row a cell may show the same store while there is a newer one: memory is late, but not for ever.
 * Without it a reader that looks again until something changes would never be done.
 */
const PATIENCE = 4;

/** What the writer did, by cell (u32 words of the shared memory). */
export class WriterLog {
  #cells = new Map();
  #memory;
  #position = 0;
  #fence = 0;

  /** `memory`: what was there before, a Uint32Array. */
  constructor(memory) {
    this.#memory = memory;
  }

  get position() {
    return this.#position;
  }

  // A release store tells its reader all up to itself, a relaxed one what the last fence told. C++20: a later relaxed
  // store of the same thread does not belong to the release sequence.
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

  /** The writer's own view: its last store. */
  load(cell) {
    return this.of(cell).at(-1).value;
  }

  /** Every cell that was stored to or loaded so far, by the writer or by a reader. */
  get touched() {
    return [...this.#cells.keys()];
  }

  /** The stores to a cell, oldest first, after what was there before. */
  of(cell) {
    let stores = this.#cells.get(cell);
    if (stores === undefined) {
      stores = [{ position: 0, value: this.#memory[cell], told: 0, sequential: false }];
      this.#cells.set(cell, stores);
    }
    return stores;
  }
}

/** One execution of a reader. `choose(n)` decides what each load sees. */
export class ReaderView {
  #log;
  #choose;
  #hearsay;
  #known = 0;
  #fenced = 0;
  /** The seq_cst store that the last seq_cst load saw: it stands before that load in the one order of all. */
  #instant = 0;
  /** By cell: the position of the store that this thread saw last, and how often in a row. */
  #seen = new Map();
  #times = new Map();
  #asleep = false;
  /** What was loaded, to show how a violation comes about. */
  loads = [];

  /** `hearsay`: a cell whose loads synchronize with nothing, or null. */
  constructor(log, choose, hearsay) {
    this.#log = log;
    this.#choose = choose;
    this.#hearsay = hearsay;
  }

  /** While `act` runs nothing of the writer arrives. */
  before(act) {
    this.#asleep = true;
    const result = act();
    this.#asleep = false;
    this.#times.clear();
    return result;
  }

  /** As if the writer's thread were joined. */
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

  // Nothing older than what happened before, nor than what this thread saw of the cell; and a seq_cst load nothing
  // that a seq_cst store had replaced before the instant of an earlier one. Of stores of the same value only the
  // oldest: it tells least (the same line of code made them all), so all that can follow the others can follow it.
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
 * Runs `act(view)` for every execution; returns how many there were. Throws what `act` throws, with the loads that
 * led there as `loads`.
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
