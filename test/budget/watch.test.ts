import { describe, expect, it } from 'vitest';
import { BudgetCounters } from '../../src/budget/counters.js';
import { BudgetWatch, NO_THRESHOLD } from '../../src/budget/watch.js';
import { RESOURCES } from '../../src/schema/enumerations.js';
import { readTable } from '../support/table.js';

const indexOf = (name: string): number => (RESOURCES as readonly string[]).indexOf(name);

function pairsOf(args: readonly string[]): [name: string, units: bigint][] {
  return args.map((arg) => {
    const [name = '', digits = ''] = arg.split('=');
    return [name, BigInt(digits)];
  });
}

class Replay {
  #counters = BudgetCounters.create([], false);
  #thresholds = RESOURCES.map(() => NO_THRESHOLD);
  #releases = RESOURCES.map(() => NO_THRESHOLD);
  #watch: BudgetWatch | null = null;
  #changed = false;

  play(line: string): void {
    const [word, ...args] = line.split(' ').filter((arg) => arg !== '');
    switch (word) {
      case 'limits': {
        const limits = RESOURCES.map(() => 0n);
        for (const [name, units] of pairsOf(args)) limits[indexOf(name)] = units;
        this.#counters = BudgetCounters.create(limits, false);
        break;
      }
      case 'threshold':
        this.#thresholds[indexOf(args[0]!)] = BigInt(args[1]!);
        this.#releases[indexOf(args[0]!)] = BigInt(args[2]!);
        break;
      case 'watch':
        this.#watch = new BudgetWatch(this.#counters, {
          baseline: args[0] as 'zero' | 'now',
          startNs: BigInt(args[1]!),
          thresholds: this.#thresholds,
          releases: this.#releases,
        });
        break;
      case 'charge':
        for (const [name, units] of pairsOf(args)) this.#counters.add(indexOf(name), units);
        break;
      case 'refund':
        for (const [name, units] of pairsOf(args)) this.#counters.refund(indexOf(name), units);
        break;
      case 'frame': {
        const values = new Map(pairsOf(args.slice(2)));
        this.#watch!.takeTrips();
        this.#changed = this.#watch!.look({
          seq: Number(args[0]),
          tsNs: BigInt(args[1]!),
          cpuNs: values.get('cpuNs') ?? null,
          ioBytes: values.get('ioBytes') ?? null,
        });
        break;
      }
      case 'changed':
        expect(this.#changed, line).toBe(args[0] === 'yes');
        break;
      case 'trips':
        expect(
          this.#watch!.takeTrips().map(
            ({ resource, limit, consumed, seq }) =>
              `${RESOURCES[resource]}:${limit}:${consumed}:${seq}`,
          ),
        ).toEqual(args);
        break;
      case 'tripped':
        expect(this.#watch!.anyTripped, line).toBe(args[0] === 'yes');
        break;
      case 'consumed':
        expect(
          RESOURCES.flatMap((name, i) => {
            const units = this.#counters.consumed(i);
            return units === 0n ? [] : [`${name}=${units}`];
          }).sort(),
        ).toEqual([...args].sort());
        break;
      case 'exhausted': {
        const found = this.#watch!.exhaustion;
        const told =
          found === null
            ? 'none'
            : `${RESOURCES[found.resource]}:${found.limit}:${found.consumed}:${found.seq}:${found.tsNs}:${found.lateNs ?? 'none'}`;
        expect(told, line).toBe(args[0]);
        break;
      }
      case 'wall_due':
        expect(String(this.#watch!.wallDueNs ?? 'none'), line).toBe(args[0]);
        break;
      default:
        throw new Error(`the table has a line that is none of its own: ${line}`);
    }
  }
}

describe('CTR-TL01: a budget that frames charge', () => {
  it.each(readTable('budget.txt'))('%s', (_, lines) => {
    const replay = new Replay();
    expect.hasAssertions();
    for (const line of lines) replay.play(line);
  });
});
