import { assertOptions, invalidConfig, type OptionKeys, wholeNumber } from '../error/index.js';
import { brand, ownInstance } from '../realm/index.js';

export interface PromoteTriggersInit {
  readonly onTermination?: boolean;
  readonly onQuarantine?: boolean;
  readonly onBudgetThreshold?: boolean;
  readonly periodicFrames?: number;
}

const TRIGGERS: OptionKeys<PromoteTriggersInit> = {
  onTermination: true,
  onQuarantine: true,
  onBudgetThreshold: true,
  periodicFrames: true,
};

/** When the frames in the ring are promoted, that is, passed to the session's recorder, each once. Immutable. */
export class PromoteTriggers {
  readonly onTermination: boolean;
  readonly onQuarantine: boolean;
  /** Promote when a budgeted resource reaches the policy's threshold. */
  readonly onBudgetThreshold: boolean;
  /** Promote after this number of frames, repeatedly; 0: never. */
  readonly periodicFrames: number;

  /** On termination and on quarantine. */
  static readonly default: PromoteTriggers = new PromoteTriggers({
    onTermination: true,
    onQuarantine: true,
  });

  /** Every trigger, and every 100 frames. */
  static readonly all: PromoteTriggers = new PromoteTriggers({
    onTermination: true,
    onQuarantine: true,
    onBudgetThreshold: true,
    periodicFrames: 100,
  });

  /** Nothing is promoted. */
  static readonly none: PromoteTriggers = new PromoteTriggers();

  static {
    brand(PromoteTriggers.prototype, 'PromoteTriggers');
  }

  /** An omitted trigger is off. Throws `ERR_INVALID_CONFIG`, `ERR_OUT_OF_RANGE`. */
  constructor(init: PromoteTriggersInit = {}) {
    assertOptions('the triggers', init, TRIGGERS);
    this.onTermination = flag('onTermination', init.onTermination);
    this.onQuarantine = flag('onQuarantine', init.onQuarantine);
    this.onBudgetThreshold = flag('onBudgetThreshold', init.onBudgetThreshold);
    this.periodicFrames = Number(wholeNumber('periodicFrames', init.periodicFrames ?? 0));
    Object.freeze(this);
  }
}

function flag(name: string, value: boolean | undefined): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw invalidConfig(`${name} must be a boolean, got ${typeof value}`);
}

/** Returns triggers of any evaluation of the package as this evaluation's; null for other values. */
export function ownTriggers(value: unknown): PromoteTriggers | null {
  return ownInstance(PromoteTriggers, value, (foreign) => new PromoteTriggers(foreign));
}
