import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BudgetTracker } from '../../src/budget/index.js';
import { BudgetExhaustedError } from '../../src/error/index.js';

const code = (value: string) => expect.objectContaining({ code: value });
const NOTHING = { cpuMs: 0, ioBytes: 0, wallMs: 0, tokens: 0, toolCalls: 0, evidenceBytes: 0 };

describe('a charge', () => {
  test('is recorded and throws nothing while it fits', () => {
    const budget = new BudgetTracker({ tokens: 10, cpuMs: 5 });
    budget.charge({ tokens: 10, cpuMs: 1.5, ioBytes: 7 });
    expect(budget.consumed()).toEqual({ ...NOTHING, tokens: 10, cpuMs: 1.5, ioBytes: 7 });
    expect(budget.remaining()).toMatchObject({ tokens: 0, cpuMs: 3.5, ioBytes: Infinity });
  });

  test('that crosses the limit throws, and is recorded all the same', () => {
    const budget = new BudgetTracker({ tokens: 10 });
    budget.charge({ tokens: 7 });
    const crossing = budget.tryCharge({ tokens: 5, toolCalls: 1 });
    expect(crossing).toBeInstanceOf(BudgetExhaustedError);
    expect(crossing).toMatchObject({
      code: 'ERR_BUDGET_EXHAUSTED',
      resource: 'tokens',
      requested: 5,
      remaining: 3,
    });
    expect(budget.consumed()).toMatchObject({ tokens: 12, toolCalls: 1 });
    expect(() => budget.charge({ tokens: 1 })).toThrow(code('ERR_BUDGET_EXHAUSTED'));
    expect(budget.consumed().tokens).toBe(13);
    expect(budget.remaining().tokens).toBe(0);
  });

  test('of nothing is never too much', () => {
    const budget = new BudgetTracker({ tokens: 1 });
    budget.charge({ tokens: 1 });
    expect(budget.isExhausted()).toBe(true);
    expect(budget.tryCharge({ tokens: 0 })).toBe(null);
    expect(budget.tryCharge({})).toBe(null);
  });

  test('is refused whole when one of its amounts is none', () => {
    const budget = new BudgetTracker();
    for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => budget.charge({ cpuMs: 1, tokens: value })).toThrow(RangeError);
      expect(() => budget.charge({ tokens: value })).toThrow(code('ERR_OUT_OF_RANGE'));
    }
    expect(() => budget.charge({ cpuMs: 1, gold: 1 } as never)).toThrow(code('ERR_INVALID_CONFIG'));
    expect(() => budget.charge(5 as never)).toThrow(code('ERR_INVALID_CONFIG'));
    expect(() => budget.charge({ tokens: '5' } as never)).toThrow(code('ERR_INVALID_CONFIG'));
    expect(budget.consumed()).toEqual(NOTHING);
  });

  test('of evidence is a charge', () => {
    const budget = new BudgetTracker({ evidenceBytes: 4 });
    budget.chargeEvidence(4);
    expect(() => budget.chargeEvidence(1)).toThrow(code('ERR_BUDGET_EXHAUSTED'));
    expect(budget.consumed().evidenceBytes).toBe(5);
  });
});

describe('limits', () => {
  test('of 0, or absent, are none', () => {
    const budget = new BudgetTracker({ tokens: 0 });
    expect(budget.tryCharge({ tokens: 1e9, cpuMs: 1e9 })).toBe(null);
    expect(budget.isExhausted()).toBe(false);
    expect(budget.limits).toEqual(NOTHING);
    expect(BudgetTracker.unlimited().isDeferred).toBe(false);
  });

  test('come back in the form the constructor takes', () => {
    const limits = { ...NOTHING, cpuMs: 1.25, ioBytes: 2 ** 40 };
    expect(new BudgetTracker(limits).limits).toEqual(limits);
  });

  test('that are reached are exhausted, each for itself', () => {
    const budget = new BudgetTracker({ tokens: 2, toolCalls: 2 });
    budget.charge({ tokens: 2, toolCalls: 1 });
    expect(budget.isExhausted('tokens')).toBe(true);
    expect(budget.isExhausted('toolCalls')).toBe(false);
    expect(budget.isExhausted('cpuMs')).toBe(false);
    expect(budget.isExhausted()).toBe(true);
    expect(() => budget.isExhausted('gold' as 'tokens')).toThrow(code('ERR_INVALID_CONFIG'));
  });

  test('that are deferred are not there, and say so', () => {
    const budget = BudgetTracker.deferred();
    budget.charge({ tokens: 5 });
    expect(budget.isDeferred).toBe(true);
    expect(budget.isExhausted()).toBe(false);
    expect(budget.consumed().tokens).toBe(5);
  });

  test('below a ns are small, not absent', () => {
    expect(new BudgetTracker({ cpuMs: 1e-9 }).tryCharge({ cpuMs: 1 })).not.toBe(null);
  });

  test('are of whole ns, as what is charged: to the nearest, never more than that', () => {
    const budget = new BudgetTracker({ cpuMs: 1 });
    for (let i = 0; i < 1000; i += 1) budget.charge({ cpuMs: 1e-7 });
    expect(budget.consumed().cpuMs).toBe(0);
    budget.charge({ cpuMs: 6e-7 });
    expect(budget.consumed().cpuMs).toBe(1e-6);
    budget.reconcile({ cpuMs: 1e-7 }, { cpuMs: 0 });
    expect(budget.consumed().cpuMs).toBe(1e-6);
  });
});

describe('a reservation', () => {
  test('that does not fit consumes nothing of anything', () => {
    const budget = new BudgetTracker({ cpuMs: 10, tokens: 10 });
    const error = budget.tryReserve({ cpuMs: 4, ioBytes: 100, tokens: 11 });
    expect(error).toMatchObject({ resource: 'tokens', requested: 11, remaining: 10 });
    expect(budget.consumed()).toEqual(NOTHING);
  });

  test('that fits is consumed', () => {
    const budget = new BudgetTracker({ cpuMs: 10, tokens: 10 });
    expect(budget.tryReserve({ cpuMs: 10, ioBytes: 100, tokens: 10 })).toBe(null);
    expect(budget.consumed()).toMatchObject({ cpuMs: 10, ioBytes: 100, tokens: 10 });
    expect(budget.tryReserve({ tokens: 1 })).toMatchObject({ code: 'ERR_BUDGET_EXHAUSTED' });
  });
});

describe('reconciling', () => {
  test('refunds what was estimated too much', () => {
    const budget = new BudgetTracker({ tokens: 100 });
    budget.charge({ tokens: 50, cpuMs: 10 });
    budget.reconcile({ tokens: 50, cpuMs: 10 }, { tokens: 20, cpuMs: 9.5 });
    expect(budget.consumed()).toMatchObject({ tokens: 20, cpuMs: 9.5 });
  });

  test('an overrun is an error, and the excess is recorded', () => {
    const budget = new BudgetTracker({ tokens: 100 });
    budget.charge({ tokens: 50, toolCalls: 5 });
    const overrun = () =>
      budget.reconcile({ tokens: 50, toolCalls: 5 }, { tokens: 60, toolCalls: 2 });
    expect(overrun).toThrow(
      expect.objectContaining({
        code: 'ERR_BUDGET_ESTIMATE',
        resource: 'tokens',
        estimate: 50,
        actual: 60,
      }),
    );
    expect(budget.consumed()).toMatchObject({ tokens: 60, toolCalls: 2 });
  });

  test('never refunds below nothing', () => {
    const budget = new BudgetTracker();
    budget.reconcile({ tokens: 5 }, {});
    expect(budget.consumed().tokens).toBe(0);
  });
});

describe('cpu is counted in ns', () => {
  test('no remainder below a millisecond is lost', () => {
    const budget = new BudgetTracker({ cpuMs: 1 });
    for (let i = 0; i < 999; i++) {
      expect(budget.tryCharge({ cpuMs: 0.001001 })).toBe(null);
    }
    expect(budget.consumed().cpuMs).toBe(0.999999);
    expect(budget.tryCharge({ cpuMs: 0.000001 })).toBe(null);
    expect(budget.isExhausted('cpuMs')).toBe(true);
    expect(budget.tryCharge({ cpuMs: 0.000001, ioBytes: 3 })).toMatchObject({
      resource: 'cpuMs',
      requested: 0.000001,
      remaining: 0,
    });
    expect(budget.consumed()).toMatchObject({ cpuMs: 1.000001, ioBytes: 3 });
  });
});

describe('ten thousand charges of 0.3 ms', () => {
  test('are 3,000 ms', () => {
    const budget = new BudgetTracker({ cpuMs: 3000 });
    for (let i = 0; i < 10_000; i++) expect(budget.tryCharge({ cpuMs: 0.3 })).toBe(null);
    expect(budget.consumed().cpuMs).toBe(3000);
    expect(budget.tryCharge({ cpuMs: 0.3 })).not.toBe(null);
  });
});

describe('INV-TL02: sums saturate at 2^63 − 1', () => {
  test('and stay there', () => {
    const budget = new BudgetTracker();
    budget.charge({ tokens: 2n ** 63n - 2n });
    budget.charge({ tokens: 2n ** 70n, cpuMs: 2n ** 62n });
    budget.charge({ tokens: 1, cpuMs: 1e300 });
    expect(budget.consumed().tokens).toBe(2 ** 63);
    expect(budget.consumed().cpuMs).toBeCloseTo(2 ** 63 / 1e6, -3);
    expect(budget.isExhausted()).toBe(false);
  });
});

describe('any sequence of operations', () => {
  const amount = fc.nat(1000);
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('charge' as const), tokens: amount, cpuUs: amount }),
    fc.record({ kind: fc.constant('reserve' as const), tokens: amount, cpuUs: amount }),
    fc.record({ kind: fc.constant('reconcile' as const), tokens: amount, cpuUs: amount }),
  );

  test('adds up exactly', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 50 }), fc.nat(5000), (operations, limit) => {
        const budget = new BudgetTracker({ tokens: limit, cpuMs: 3 });
        let tokens = 0;
        let cpuUs = 0;
        for (const each of operations) {
          const delta = { tokens: each.tokens, cpuMs: each.cpuUs / 1000 };
          const fits =
            (limit === 0 || each.tokens === 0 || tokens + each.tokens <= limit) &&
            (each.cpuUs === 0 || cpuUs + each.cpuUs <= 3000);
          if (each.kind === 'charge') {
            expect(budget.tryCharge(delta) === null).toBe(fits);
          } else if (each.kind === 'reserve') {
            expect(budget.tryReserve(delta) === null).toBe(fits);
            if (!fits) continue;
          } else {
            // Charged twice over and reconciled to once.
            budget.tryCharge({ tokens: 2 * each.tokens, cpuMs: each.cpuUs / 500 });
            budget.reconcile({ tokens: 2 * each.tokens, cpuMs: each.cpuUs / 500 }, delta);
          }
          tokens += each.tokens;
          cpuUs += each.cpuUs;
        }
        expect(budget.consumed()).toMatchObject({ tokens, cpuMs: cpuUs / 1000 });
        expect(budget.isExhausted()).toBe((limit > 0 && tokens >= limit) || cpuUs >= 3000);
      }),
    );
  });
});
