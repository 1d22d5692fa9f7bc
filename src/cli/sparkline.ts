/** Draws the share of one core over the run. */

const BLOCKS = '▁▂▃▄▅▆▇█';

/** The number of points kept for a run of any length; far more than the columns of a sparkline. */
const MAX_POINTS = 1024;

/** The cumulative cpu time over time, thinned out as the run gets longer. */
export class CpuTrace {
  #points: { readonly atNs: number; readonly cpuNs: number }[] = [];
  #stride = 1;
  #skipped = 0;
  #newest: { readonly atNs: number; readonly cpuNs: number } | null = null;

  add(atNs: bigint, cpuNs: bigint): void {
    this.#newest = { atNs: Number(atNs), cpuNs: Number(cpuNs) };
    this.#skipped += 1;
    if (this.#points.length > 0 && this.#skipped < this.#stride) return;
    this.#skipped = 0;
    this.#points.push(this.#newest);
    if (this.#points.length <= MAX_POINTS) return;
    // Counters are cumulative, so dropping a point loses only resolution.
    this.#points = this.#points.filter((_, index) => index % 2 === 0);
    this.#stride *= 2;
  }

  /** Returns the mean cores in use in at most `columns` equal spans of the run; fewer if there are fewer points. */
  shares(columns: number): number[] {
    const points = [...this.#points];
    const newest = this.#newest;
    if (newest !== null && points.at(-1) !== newest) points.push(newest);
    const first = points[0];
    const last = points.at(-1);
    if (first === undefined || last === undefined || last.atNs <= first.atNs) return [];
    const count = Math.min(columns, points.length - 1);
    const spanNs = (last.atNs - first.atNs) / count;
    const shares: number[] = [];
    let before = first.cpuNs;
    for (let column = 1, index = 1; column <= count; column += 1) {
      const edge = column === count ? last.atNs : first.atNs + spanNs * column;
      while (index < points.length - 1 && (points[index]?.atNs ?? edge) < edge) index += 1;
      const left = points[index - 1] ?? first;
      const right = points[index] ?? last;
      const gap = right.atNs - left.atNs;
      const part = gap > 0 ? Math.min(1, (edge - left.atNs) / gap) : 1;
      const cpuNs = left.cpuNs + (right.cpuNs - left.cpuNs) * part;
      shares.push(Math.max(0, (cpuNs - before) / spanNs));
      before = cpuNs;
    }
    return shares;
  }
}

/** Draws one block per value, full at `top`. */
export function sparkline(values: readonly number[], top: number): string {
  return values
    .map((value) => {
      const level = Math.round((value / top) * (BLOCKS.length - 1));
      return BLOCKS[Math.max(0, Math.min(BLOCKS.length - 1, level))];
    })
    .join('');
}
