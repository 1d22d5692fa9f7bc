import { describe, expect, it } from 'vitest';
import { Pacer } from '../../src/engine/js/pacer.js';
import { readTable } from '../support/table.js';

/** Does a step, or expects what it says. */
function play(pacer: Pacer, step: string): void {
  const [word = '', ...args] = step.split(' ');
  const numbers = args.filter((arg) => /^\d+$/.test(arg)).map(BigInt);
  const [first = 0n, second = 0n, third = 0n] = numbers;
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
  it.each(readTable('pacer.txt'))('%s', (_, steps) => {
    const pacer = new Pacer();
    expect.hasAssertions();
    for (const step of steps) play(pacer, step);
  });
});
