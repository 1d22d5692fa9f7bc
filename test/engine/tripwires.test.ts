import { describe, expect, it } from 'vitest';
import type { TripwireSpec } from '../../src/engine/engine.js';
import { Reading } from '../../src/engine/js/reading.js';
import { type Trip, Tripwires } from '../../src/engine/js/tripwires.js';
import { MAX_TRIPWIRES } from '../../src/schema/bounds.js';
import { TRIP_METRICS, TripAction } from '../../src/schema/enumerations.js';
import { FrameWord } from '../../src/schema/layout.js';
import { readTable } from '../support/table.js';

const WORDS: Readonly<Record<string, number>> = {
  cpuNs: FrameWord.CPU_NS,
  ioReadBytes: FrameWord.IO_READ_BYTES,
  ioWriteBytes: FrameWord.IO_WRITE_BYTES,
  memRssBytes: FrameWord.MEM_RSS_BYTES,
};
const ACTIONS: Readonly<Record<string, number>> = {
  none: 0,
  speed_up: TripAction.SPEED_UP,
  notify: TripAction.NOTIFY,
  exhaust: TripAction.EXHAUST,
  'speed_up+notify': TripAction.SPEED_UP | TripAction.NOTIFY,
};

/** One case: the tripwires, and what the last look said. */
class Replay {
  readonly #tripwires = new Tripwires();
  #next: TripwireSpec[] = [];
  #changed = false;
  #trips: Trip[] = [];

  play(line: string): void {
    const [word, ...args] = line.split(' ').filter((arg) => arg !== '');
    switch (word) {
      case 'wire':
        this.#next.push(wire(args));
        break;
      case 'set':
        this.#tripwires.set(this.#next);
        this.#next = [];
        break;
      case 'frame':
        this.#look(Number(args[0]), args.slice(1));
        break;
      case 'changed':
        expect(this.#changed, line).toBe(args[0] === 'yes');
        break;
      case 'trips':
        expect(this.#trips.map(({ index, value, seq }) => `${index}:${value}:${seq}`)).toEqual(
          args,
        );
        break;
      case 'speed_up':
        expect(this.#tripwires.speedUp, line).toBe(args[0] === 'yes');
        break;
      case 'exhausted': {
        const found = this.#tripwires.exhausted;
        const told = found === null ? 'none' : `${found.metric}:${found.threshold}:${found.value}`;
        expect(told, line).toBe(args[0]);
        break;
      }
      default:
        throw new Error(`the table has a line that is none of its own: ${line}`);
    }
  }

  #look(seq: number, values: readonly string[]): void {
    const frame = new Reading();
    for (const value of values) {
      const [name = '', digits = ''] = value.split('=');
      frame.set(WORDS[name]!, BigInt(digits));
    }
    this.#trips = [];
    this.#changed = this.#tripwires.look(frame, seq, this.#trips);
  }
}

function wire([name, actions, threshold, release]: readonly string[]): TripwireSpec {
  return {
    metric: TRIP_METRICS.find((metric) => metric === name)!,
    actions: ACTIONS[actions!]!,
    threshold: BigInt(threshold!),
    release: BigInt(release!),
  };
}

describe('tripwires', () => {
  it.each(readTable('tripwires.txt'))('%s', (_, lines) => {
    const replay = new Replay();
    expect.hasAssertions();
    for (const line of lines) replay.play(line);
  });

  it('there are no more than so many', () => {
    const tripwires = new Tripwires();
    tripwires.set(
      Array.from({ length: MAX_TRIPWIRES + 1 }, () => wire(['cpuNs', 'notify', '1', '1'])),
    );
    const frame = new Reading();
    frame.set(FrameWord.CPU_NS, 1n);
    const trips: Trip[] = [];
    tripwires.look(frame, 0, trips);
    expect(trips).toHaveLength(MAX_TRIPWIRES);
  });
});
