/** The budget of an episode: limits, what was consumed, and one count of it for all threads. */
export type { BudgetAmounts, BudgetDelta } from './resources.js';
export { BudgetTracker, type SharedBudget } from './tracker.js';
