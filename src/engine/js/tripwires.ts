/**
 * Thresholds on published values, which the sampler checks and acts on by itself. The twin of
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

/** The metric and value with which a tripwire with `EXHAUST` tripped. */
export interface ExhaustedTripwire {
  readonly metric: TripMetric;
  readonly threshold: bigint;
  readonly value: bigint;
}

export class Tripwires {
  #wires: readonly Tripwire[] = [];
  #exhausted: ExhaustedTripwire | null = null;

  /** Replaces all tripwires with the first `MAX_TRIPWIRES` of `specs`, none of them tripped. */
  set(specs: readonly TripwireSpec[]): void {
    this.#wires = specs.slice(0, MAX_TRIPWIRES).map((spec) => ({ spec, tripped: false }));
  }

  /**
   * Checks a frame that is about to be published. An absent metric changes nothing. Returns true if a tripwire was
   * tripped or released. Trips of tripwires with `NOTIFY` are appended to `trips`.
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

  /** The first tripwire with `EXHAUST` that tripped; it stays set. */
  get exhausted(): ExhaustedTripwire | null {
    return this.#exhausted;
  }

  /** Whether a tripwire with `SPEED_UP` is tripped. */
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

/** Returns the value of the metric, or null if the frame does not have it. */
export function metricOf(metric: TripMetric, frame: Reading): bigint | null {
  const words = METRIC_WORDS[metric];
  if (!words.every((word) => frame.has(word))) return null;
  return words.map((word) => frame.get(word)).reduce(saturatingAdd);
}
