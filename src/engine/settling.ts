/**
 * How the final totals are read after the end was seen (the twin of the constants in
 * `native/core/sampled_episode.cc`). The dying task's last accounting may come after the cgroup says that it is
 * empty: with the next tick, 4 ms at HZ=250, of a cpu that still runs it.
 */

/** Counters are read this far apart … */
export const SETTLE_INTERVAL_NS = 1_000_000n;
/** … until none has moved for this long: two ticks … */
export const SETTLE_AGREE_NS = 8_000_000n;
/** … or this has passed: systemd removes its scope within 20 ms of the end. */
export const SETTLE_LIMIT_NS = 10_000_000n;
