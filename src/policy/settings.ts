import { finiteNumber, invalidConfig, outOfRange, wholeNumber } from '../error/index.js';
import { MAX_RING_BUFFER_CAPACITY, MIN_RING_BUFFER_CAPACITY } from '../schema/bounds.js';
import { ownTriggers, PromoteTriggers } from './promote-triggers.js';

/** INV-TL06. */
export const MIN_SAMPLE_PERIOD_MS = 1;
export const MAX_SAMPLE_PERIOD_MS = 3_600_000;
export const DEFAULT_SAMPLE_PERIOD_MS = 1_000;

/** Within INV-TL07. */
export const DEFAULT_RING_BUFFER_CAPACITY = 1_024;

/** At or above the threshold of any budgeted resource, the period is divided by this. */
export const HIGH_FREQ_MULTIPLIER = 4;
const DEFAULT_HIGH_FREQ_THRESHOLD_PERCENT = 80;

/** `memory.stat` costs the kernel ten times as much as the other files (docs/kernel.md#memory). */
const DEFAULT_MEMORY_STAT_PERIOD_MS = 100;

/** The settings of a policy. */
export interface PolicySettings {
  /** Time between two samples, whole ms. */
  readonly samplePeriodMs: number;
  /** Frames the ring holds. */
  readonly ringBufferCapacity: number;
  readonly promoteTriggers: PromoteTriggers;
  /** Share of any budgeted resource from which sampling is faster, 0–100. */
  readonly highFreqThresholdPercent: number;
  readonly highFreqEnabled: boolean;
  /** Minimum time between two reads of `memory.stat`, whole ms; 0: read for each frame. */
  readonly memoryStatPeriodMs: number;
}

export const DEFAULT_SETTINGS: PolicySettings = {
  samplePeriodMs: DEFAULT_SAMPLE_PERIOD_MS,
  ringBufferCapacity: DEFAULT_RING_BUFFER_CAPACITY,
  promoteTriggers: PromoteTriggers.default,
  highFreqThresholdPercent: DEFAULT_HIGH_FREQ_THRESHOLD_PERCENT,
  highFreqEnabled: true,
  memoryStatPeriodMs: DEFAULT_MEMORY_STAT_PERIOD_MS,
};

/** Returns every setting, with the default of each omitted one. */
export function withDefaults(settings: Partial<PolicySettings>): PolicySettings {
  const names = Object.keys(DEFAULT_SETTINGS) as (keyof PolicySettings)[];
  const chosen = names.map((name) => [name, settings[name] ?? DEFAULT_SETTINGS[name]]);
  return Object.fromEntries(chosen) as PolicySettings;
}

type NumberName = Exclude<keyof PolicySettings, 'promoteTriggers' | 'highFreqEnabled'>;

const BOUNDS: Readonly<Record<NumberName, { least: number; most: number; whole: boolean }>> = {
  samplePeriodMs: { least: MIN_SAMPLE_PERIOD_MS, most: MAX_SAMPLE_PERIOD_MS, whole: true },
  ringBufferCapacity: {
    least: MIN_RING_BUFFER_CAPACITY,
    most: MAX_RING_BUFFER_CAPACITY,
    whole: true,
  },
  highFreqThresholdPercent: { least: 0, most: 100, whole: false },
  memoryStatPeriodMs: { least: 0, most: MAX_SAMPLE_PERIOD_MS, whole: true },
};
const NUMBERS = Object.keys(BOUNDS) as NumberName[];

/**
 * Throws for values that no policy accepts: a negative value, NaN, an infinity, a fraction of a count, or another
 * type.
 */
export function checkSettings(settings: PolicySettings): void {
  for (const name of NUMBERS) {
    finiteNumber(name, settings[name]);
    if (BOUNDS[name].whole) wholeNumber(name, settings[name]);
  }
  if (typeof settings.highFreqEnabled !== 'boolean') {
    throw invalidConfig('highFreqEnabled must be a boolean');
  }
  if (ownTriggers(settings.promoteTriggers) === null) {
    throw invalidConfig('promoteTriggers must be PromoteTriggers');
  }
}

/** Also throws `ERR_OUT_OF_RANGE` for a number beyond its bounds. */
export function checkBounds(settings: PolicySettings): void {
  for (const name of NUMBERS) {
    const { least, most } = BOUNDS[name];
    const value = settings[name];
    if (value < least || value > most) {
      throw outOfRange(name, value, `must be from ${least} to ${most}`);
    }
  }
}

/** Returns the settings with every number clamped into its bounds. */
export function clampSettings(settings: PolicySettings): PolicySettings {
  const clamped = { ...settings };
  for (const name of NUMBERS) {
    const { least, most } = BOUNDS[name];
    clamped[name] = Math.min(Math.max(settings[name], least), most);
  }
  return clamped;
}
