// Charges a shared budget in small steps.
import { workerData } from 'node:worker_threads';
import { BudgetTracker } from '../../dist/budget/index.js';

const { shared, rounds, step } = workerData;
const budget = BudgetTracker.attach(shared);
for (let round = 0; round < rounds; round++) {
  budget.tryCharge({ tokens: step, cpuMs: 0.001 });
  budget.tryReserve({ toolCalls: 1 });
  budget.reconcile({ evidenceBytes: 0 }, { evidenceBytes: 0 });
}
