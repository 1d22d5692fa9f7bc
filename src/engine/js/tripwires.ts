/**
 * Plain thresholds on published values, and what the sampler does about them by itself. The twin of
 * `native/core/tripwires.h`; both run `test/tables/tripwires.txt`.
 */

import { saturatingAdd } from '../../frame/saturate.js';
import { MAX_TRIPWIRES } from '../../schema/bounds.js';
import { TripAction, type TripMetric } from '../../schema/enumerations.js';
import { FrameWord } from '../../schema/layout.js';
import type { SamplerNews, TripwireSpec } from '../engine.js';
import type { Reading } from './reading.js';

export type Trip = SamplerNews['trips'][number];

interface Tripwire {
  readonly spec: TripwireSpec;
  tripped: boolean;
}

/** What a tripwire with `EXHAUST` saw when it tripped. */
export interface ExhaustedTripwire {
  readonly metric: TripMetric;
  readonly threshold: bigint;
  readonly value: bigint;
}

export class Tripwires {
  #wires: readonly Tripwire[] = [];
  #exhausted: ExhaustedTripwire | null = null;

  /** Replaces them all, by the first `MAX_TRIPWIRES`: none is tripped. */
  set(specs: readonly TripwireSpec[]): void {
    this.#wires = specs.slice(0, MAX_TRIPWIRES).map((spec) => ({ spec, tripped: false }));
  }

  /**
   * Looks at a frame that is about to be published; a metric that is absent changes nothing. True when one tripped
   * or was released. Those that tripped, with `NOTIFY`, are added to `trips`.
   */
  look(frame: Reading, seq: number, trips: Trip[]): boolean {
    let changed = false;
    this.#wires.forEach((wire, index) => {
      const { metric, threshold, release, actions } = wire.spec;
      const value = metricOf(metric, frame);
      if (value === null) return;
      const tripped = wire.tripped ? value >= release : value >= threshold;
      if (tripped === wire.tripped) return;
      wire.tripped = tripped;
      changed = true;
      if (tripped && (actions & TripAction.NOTIFY) !== 0) trips.push({ index, value, seq });
      if (tripped && (actions & TripAction.EXHAUST) !== 0) {
        this.#exhausted ??= { metric, threshold, value };
      }
    });
    return changed;
  }

  /** The first with `EXHAUST` that tripped, from then on. */
  get exhausted(): ExhaustedTripwire | null {
    return this.#exhausted;
  }

  /** One with `SPEED_UP` is tripped. */
  get speedUp(): boolean {
    return this.#wires.some(
      ({ spec, tripped }) => tripped && (spec.actions & TripAction.SPEED_UP) !== 0,
    );
  }
}

const METRIC_WORDS: Readonly<Record<TripMetric, readonly number[]>> = {
  cpuNs: [FrameWord.CPU_NS],
  ioBytes: [FrameWord.IO_READ_BYTES, FrameWord.IO_WRITE_BYTES],
  memRssBytes: [FrameWord.MEM_RSS_BYTES],
};

/** null: the frame does not have it. */
export function metricOf(metric: TripMetric, frame: Reading): bigint | null {
  const words = METRIC_WORDS[metric];
  if (!words.every((word) => frame.has(word))) return null;
  return words.map((word) => frame.get(word)).reduce(saturatingAdd);
}
