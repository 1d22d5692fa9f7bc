import type { TelemetryPolicy } from './policy.js';
import type { PromoteTriggers } from './promote-triggers.js';
import { checkSettings, clampSettings, DEFAULT_SETTINGS, type PolicySettings } from './settings.js';

/**
 * Builds a policy from the defaults. `build()` and `tryBuild()` throw `ERR_OUT_OF_RANGE` for a negative value, NaN, an
 * infinity or a fraction of a count, and `ERR_INVALID_CONFIG` for another type.
 */
export class TelemetryPolicyBuilder {
  readonly #finish: (settings: PolicySettings) => TelemetryPolicy;
  #settings: PolicySettings = DEFAULT_SETTINGS;

  /** @internal Use `TelemetryPolicy.builder`. */
  constructor(finish: (settings: PolicySettings) => TelemetryPolicy) {
    this.#finish = finish;
  }

  samplePeriodMs(ms: number): this {
    return this.#with({ samplePeriodMs: ms });
  }

  ringBufferCapacity(frames: number): this {
    return this.#with({ ringBufferCapacity: frames });
  }

  promoteTriggers(triggers: PromoteTriggers): this {
    return this.#with({ promoteTriggers: triggers });
  }

  highFreqThresholdPercent(percent: number): this {
    return this.#with({ highFreqThresholdPercent: percent });
  }

  highFreqEnabled(enabled: boolean): this {
    return this.#with({ highFreqEnabled: enabled });
  }

  memoryStatPeriodMs(ms: number): this {
    return this.#with({ memoryStatPeriodMs: ms });
  }

  /** Builds the policy, with every number clamped into its bounds. */
  build(): TelemetryPolicy {
    checkSettings(this.#settings);
    return this.#finish(clampSettings(this.#settings));
  }

  /** Builds the policy as given; throws `ERR_OUT_OF_RANGE` for a number beyond its bounds. */
  tryBuild(): TelemetryPolicy {
    checkSettings(this.#settings);
    return this.#finish(this.#settings);
  }

  #with(changed: Partial<PolicySettings>): this {
    this.#settings = { ...this.#settings, ...changed };
    return this;
  }
}
