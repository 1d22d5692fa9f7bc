export { MAX_RING_BUFFER_CAPACITY, MIN_RING_BUFFER_CAPACITY } from '../schema/bounds.js';

/** INV-TL06. */
export const MIN_SAMPLE_PERIOD_MS = 1;
export const MAX_SAMPLE_PERIOD_MS = 3_600_000;
export const DEFAULT_SAMPLE_PERIOD_MS = 1_000;

/** Within INV-TL07. */
export const DEFAULT_RING_BUFFER_CAPACITY = 1_024;

/** At or above the threshold of any budgeted resource the period is divided by this. */
export const HIGH_FREQ_MULTIPLIER = 4;
export const DEFAULT_HIGH_FREQ_THRESHOLD_PERCENT = 80;

/** `memory.stat` costs the kernel ten times what the other files do (docs/kernel.md#memory). */
export const DEFAULT_MEMORY_STAT_PERIOD_MS = 100;
