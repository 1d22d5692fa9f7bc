import {
  finiteNumber,
  type OptionKeys,
  outOfRange,
  TelemetryError,
  wholeNumber,
} from '../error/index.js';
import { MAX_RING_BUFFER_CAPACITY, MIN_RING_BUFFER_CAPACITY } from '../schema/bounds.js';
import {
  DEFAULT_HIGH_FREQ_THRESHOLD_PERCENT,
  DEFAULT_MEMORY_STAT_PERIOD_MS,
  DEFAULT_RING_BUFFER_CAPACITY,
  DEFAULT_SAMPLE_PERIOD_MS,
  MAX_SAMPLE_PERIOD_MS,
  MIN_SAMPLE_PERIOD_MS,
} from './bounds.js';
import { ownTriggers, PromoteTriggers } from './promote-triggers.js';

/** The settings of a policy. */
export interface PolicySettings {
  /** Time between two samples, whole ms. */
  readonly samplePeriodMs: number;
  /** Frames the ring holds. */
  readonly ringBufferCapacity: number;
  readonly promoteTriggers: PromoteTriggers;
  /** Share of any budgeted resource from which on sampling is faster, 0–100. */
  readonly highFreqThresholdPercent: number;
  readonly highFreqEnabled: boolean;
  /** Least time between two reads of `memory.stat`, whole ms; 0: read for each frame. */
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

export const SETTINGS: OptionKeys<PolicySettings> = {
  samplePeriodMs: true,
  ringBufferCapacity: true,
  promoteTriggers: true,
  highFreqThresholdPercent: true,
  highFreqEnabled: true,
  memoryStatPeriodMs: true,
};

type NumberName =
  | 'samplePeriodMs'
  | 'ringBufferCapacity'
  | 'highFreqThresholdPercent'
  | 'memoryStatPeriodMs';

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
 * Throws for what no policy accepts: a negative, NaN, an infinity, a fraction where whole units are counted, another
 * type.
 */
export function checkSettings(settings: PolicySettings): void {
  for (const name of NUMBERS) {
    finiteNumber(name, settings[name]);
    if (BOUNDS[name].whole) wholeNumber(name, settings[name]);
  }
  if (typeof settings.highFreqEnabled !== 'boolean') {
    throw new TelemetryError('ERR_INVALID_CONFIG', 'highFreqEnabled must be a boolean');
  }
  if (ownTriggers(settings.promoteTriggers) === null) {
    throw new TelemetryError('ERR_INVALID_CONFIG', 'promoteTriggers must be PromoteTriggers');
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
