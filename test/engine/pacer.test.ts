import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Pacer } from '../../src/engine/js/pacer.js';

interface Step {
  readonly word: string;
  readonly args: readonly string[];
}

/** The format is described at the head of the table. */
function readTable(text: string): [name: string, steps: Step[]][] {
  const cases: [string, Step[]][] = [];
  for (const line of text.split('\n')) {
    const [word = '', ...args] = line.trim().split(/\s+/);
    if (word === 'case') cases.push([args.join(' '), []]);
    else if (word !== '' && !word.startsWith('#')) cases.at(-1)![1].push({ word, args });
  }
  return cases;
}

/** Does a step, or expects what it says. */
function play(pacer: Pacer, { word, args }: Step): void {
  const numbers = args.filter((arg) => /^\d+$/.test(arg)).map(BigInt);
  const [first = 0n, second = 0n, third = 0n] = numbers;
  const step = [word, ...args].join(' ');
  switch (word) {
    case 'start':
      pacer.start(first, second, third);
      break;
    case 'served':
      pacer.served(first);
      break;
    case 'set_period':
      pacer.setPeriod(first, second);
      break;
    case 'deadline':
      expect(pacer.deadlineNs, step).toBe(first);
      break;
    case 'missed':
      expect(pacer.missed, step).toBe(Number(first));
      break;
    case 'due':
      expect(pacer.due(first), step).toBe(args[1] === 'yes');
      break;
    case 'period':
      expect(pacer.periodNs, step).toBe(first);
      break;
    default:
      throw new Error(`the table has a line that is none of its own: ${step}`);
  }
}

describe('the deadlines of an episode', () => {
  const table = readFileSync(new URL('../tables/pacer.txt', import.meta.url), 'utf8');

  it.each(readTable(table))('%s', (_, steps) => {
    const pacer = new Pacer();
    expect.hasAssertions();
    for (const step of steps) play(pacer, step);
  });
});
