import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WakeHeap } from '../../src/engine/js/wake-heap.js';

const step = fc.record({ value: fc.nat(12), wakeNs: fc.option(fc.bigInt(0n, 50n)) });

it('knows the first, and all that are due, whatever was set, moved and deleted before', () => {
  fc.assert(
    fc.property(fc.array(step), fc.bigInt(0n, 50n), (steps, nowNs) => {
      const heap = new WakeHeap<number>();
      const model = new Map<number, bigint>();
      for (const { value, wakeNs } of steps) {
        if (wakeNs === null) {
          heap.delete(value);
          model.delete(value);
        } else {
          heap.set(value, wakeNs);
          model.set(value, wakeNs);
        }
        const times = [...model.values()].sort((a, b) => Number(a - b));
        expect(heap.firstNs).toBe(times[0] ?? null);
      }
      const due = [...model].filter(([, wakeNs]) => wakeNs <= nowNs).map(([value]) => value);
      expect(heap.until(nowNs).sort()).toEqual(due.sort());
    }),
  );
});
