import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { BudgetTracker } from '../../src/budget/index.js';

const code = (value: string) => expect.objectContaining({ code: value });

describe('a shared budget', () => {
  test('is one budget', () => {
    const budget = new BudgetTracker({ tokens: 10 });
    const other = BudgetTracker.attach(structuredClone(budget.share()));
    other.charge({ tokens: 4 });
    expect(budget.remaining().tokens).toBe(6);
    expect(other.limits.tokens).toBe(10);
    expect(BudgetTracker.attach(BudgetTracker.deferred().share()).isDeferred).toBe(true);
  });

  test('charged by eight workers at once ends at the exact sum', async () => {
    const budget = new BudgetTracker({ tokens: 1000, toolCalls: 5000 });
    const rounds = 2000;
    const workers = Array.from(
      { length: 8 },
      (_, i) =>
        new Worker(new URL('./charger.mjs', import.meta.url), {
          workerData: { shared: budget.share(), rounds, step: i + 1 },
        }),
    );
    await Promise.all(workers.map((worker) => once(worker, 'exit')));
    const { tokens, cpuMs, toolCalls } = budget.consumed();
    expect(tokens).toBe(rounds * (1 + 2 + 3 + 4 + 5 + 6 + 7 + 8));
    expect(cpuMs).toBe((8 * rounds) / 1000);
    // 16,000 wanted one each; exactly those that fitted got one.
    expect(toolCalls).toBe(5000);
    expect(budget.isExhausted('tokens')).toBe(true);
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
    ['memory that is not shared', { budget: new ArrayBuffer(256) }],
    ['too little memory', { budget: new SharedArrayBuffer(8) }],
    ['zeros', { budget: new SharedArrayBuffer(256) }],
  ])('%s is none', (_what, shared) => {
    expect(() => BudgetTracker.attach(shared as never)).toThrow(code('ERR_INVALID_CONFIG'));
  });

  test('negative counters are none', () => {
    const shared = new BudgetTracker({ tokens: 1 }).share();
    new BigInt64Array(shared.budget)[8] = -1n;
    expect(() => BudgetTracker.attach(shared)).toThrow(code('ERR_INVALID_CONFIG'));
  });
});
