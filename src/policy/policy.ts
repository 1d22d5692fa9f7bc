import { assertOptions, outOfRange } from '../error/index.js';
import { brand, ownInstance } from '../realm/index.js';
import { TelemetryPolicyBuilder } from './builder.js';
import { ownTriggers, PromoteTriggers } from './promote-triggers.js';
import {
  checkBounds,
  checkSettings,
  DEFAULT_SETTINGS,
  HIGH_FREQ_MULTIPLIER,
  MIN_SAMPLE_PERIOD_MS,
  type PolicySettings,
  withDefaults,
} from './settings.js';

/** How often an episode is sampled, how many frames are kept, and what promotes them. Immutable. */
export class TelemetryPolicy implements PolicySettings {
  declare readonly samplePeriodMs: number;
  declare readonly ringBufferCapacity: number;
  declare readonly promoteTriggers: PromoteTriggers;
  declare readonly highFreqThresholdPercent: number;
  declare readonly highFreqEnabled: boolean;
  declare readonly memoryStatPeriodMs: number;

  static {
    brand(TelemetryPolicy.prototype, 'TelemetryPolicy');
  }

  /**
   * An omitted setting has its default: 1,000 ms, 1,024 frames, the default triggers, 80 %, high frequency on,
   * `memory.stat` at most every 100 ms. Throws `ERR_OUT_OF_RANGE` beyond a bound (a builder would clamp),
   * `ERR_INVALID_CONFIG` for another type or an unknown setting.
   */
  constructor(settings: Partial<PolicySettings> = {}) {
    assertOptions('the settings of a policy', settings, DEFAULT_SETTINGS);
    const chosen = withDefaults(settings);
    checkSettings(chosen);
    checkBounds(chosen);
    const promoteTriggers = ownTriggers(chosen.promoteTriggers);
    Object.assign(this, { ...chosen, promoteTriggers });
    Object.freeze(this);
  }

  static builder(): TelemetryPolicyBuilder {
    return new TelemetryPolicyBuilder((settings) => new TelemetryPolicy(settings));
  }

  /** Returns the policy for a risk tier from 0 (lowest) to 4. Throws `ERR_OUT_OF_RANGE` for any other tier. */
  static forRiskTier(tier: number): TelemetryPolicy {
    const settings = typeof tier === 'number' ? RISK_TIERS[tier] : undefined;
    if (settings === undefined) throw outOfRange('tier', tier, 'must be 0, 1, 2, 3 or 4');
    return new TelemetryPolicy(settings);
  }

  /** The period in whole ms, at least 1; shortened while `active` if high frequency is enabled. */
  effectiveSamplePeriodMs(active: boolean): number {
    if (!active || !this.highFreqEnabled) return this.samplePeriodMs;
    return Math.max(MIN_SAMPLE_PERIOD_MS, Math.floor(this.samplePeriodMs / HIGH_FREQ_MULTIPLIER));
  }
}

const HIGHEST_TIER: Partial<PolicySettings> = {
  samplePeriodMs: 500,
  ringBufferCapacity: 1024,
  promoteTriggers: PromoteTriggers.all,
  highFreqThresholdPercent: 75,
};

const RISK_TIERS: readonly Partial<PolicySettings>[] = [
  {
    samplePeriodMs: 5000,
    ringBufferCapacity: 64,
    promoteTriggers: PromoteTriggers.none,
    highFreqThresholdPercent: 90,
    highFreqEnabled: false,
  },
  { samplePeriodMs: 2000, ringBufferCapacity: 256, highFreqThresholdPercent: 85 },
  { samplePeriodMs: 1000, ringBufferCapacity: 512, highFreqThresholdPercent: 80 },
  HIGHEST_TIER,
  HIGHEST_TIER,
];

/**
 * Returns a policy of any evaluation of the package as one of this evaluation; null for other values. Throws what the
 * constructor throws.
 */
export function ownPolicy(value: unknown): TelemetryPolicy | null {
  return ownInstance(TelemetryPolicy, value, (foreign) => new TelemetryPolicy(foreign));
}
