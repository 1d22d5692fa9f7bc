import { brand, ownInstance } from '../realm/index.js';
import { FrameFlag } from '../schema/layout.js';

const BITS = {
  highFrequency: FrameFlag.HIGH_FREQUENCY,
  promoted: FrameFlag.PROMOTED,
  degraded: FrameFlag.DEGRADED,
  initial: FrameFlag.INITIAL,
  terminal: FrameFlag.TERMINAL,
} as const;
const FLAGS = Object.entries(BITS) as [keyof typeof BITS, number][];

export interface O11yFlagsInit {
  readonly highFrequency?: boolean;
  readonly promoted?: boolean;
  readonly degraded?: boolean;
  readonly initial?: boolean;
  readonly terminal?: boolean;
}

export interface O11yFlagsJson {
  high_frequency: boolean;
  promoted: boolean;
  degraded: boolean;
  initial: boolean;
  terminal: boolean;
}

/** Flags that say why a frame is of interest. Immutable: `withX()` returns a new object. */
export class O11yFlags {
  /** Taken at the shortened period because a threshold was exceeded. */
  readonly highFrequency: boolean;
  /** A trigger passed the frame to the recorder. */
  readonly promoted: boolean;
  /** At least one figure comes from `/proc`. */
  readonly degraded: boolean;
  /** The first frame of its session. */
  readonly initial: boolean;
  /** The last frame of its session. */
  readonly terminal: boolean;

  /** No flag set. */
  static readonly none: O11yFlags = new O11yFlags();

  static {
    brand(O11yFlags.prototype, 'O11yFlags');
  }

  constructor(init: O11yFlagsInit = {}) {
    this.highFrequency = init.highFrequency ?? false;
    this.promoted = init.promoted ?? false;
    this.degraded = init.degraded ?? false;
    this.initial = init.initial ?? false;
    this.terminal = init.terminal ?? false;
    Object.freeze(this);
  }

  withHighFrequency(highFrequency = true): O11yFlags {
    return new O11yFlags({ ...this, highFrequency });
  }

  withPromoted(promoted = true): O11yFlags {
    return new O11yFlags({ ...this, promoted });
  }

  withDegraded(degraded = true): O11yFlags {
    return new O11yFlags({ ...this, degraded });
  }

  withInitial(initial = true): O11yFlags {
    return new O11yFlags({ ...this, initial });
  }

  withTerminal(terminal = true): O11yFlags {
    return new O11yFlags({ ...this, terminal });
  }

  /** Whether any flag is set. */
  get hasAny(): boolean {
    return flagsToBits(this) !== 0;
  }

  toJSON(): O11yFlagsJson {
    return {
      high_frequency: this.highFrequency,
      promoted: this.promoted,
      degraded: this.degraded,
      initial: this.initial,
      terminal: this.terminal,
    };
  }
}

const EVERY: readonly O11yFlags[] = Array.from({ length: 32 }, (_, bits) =>
  bits === 0
    ? O11yFlags.none
    : new O11yFlags(Object.fromEntries(FLAGS.map(([name, bit]) => [name, (bits & bit) !== 0]))),
);

/** Returns the flags in the low five bits of `bits`. Equal flags are one shared object. */
export function flagsFromBits(bits: number): O11yFlags {
  return EVERY[bits & 31] as O11yFlags;
}

/** Returns the `FrameFlag` bits of the flags. */
export function flagsToBits(flags: O11yFlags): number {
  return FLAGS.reduce((bits, [name, bit]) => bits | (flags[name] ? bit : 0), 0);
}

/** Returns flags of any evaluation of the package as this evaluation's `O11yFlags`; null for other values. */
export function ownFlags(value: unknown): O11yFlags | null {
  return ownInstance(O11yFlags, value, (foreign) => new O11yFlags(foreign));
}
