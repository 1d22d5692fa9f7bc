/**
 * Runs a session whose wall time ends at once, with the wish to kill, and prints what came of it as one JSON line:
 * `limited.mjs <engine> <cgroup> <pid>`.
 */
import { once } from 'node:events';
import { BudgetTracker, TelemetryCollector } from 'episcope';

const [engine, cgroupPath, pid] = process.argv.slice(2);
const handle = new TelemetryCollector(undefined, { engine }).start('limited', Number(pid), {
  cgroupPath,
  budget: new BudgetTracker({ wallMs: 1 }),
  onExhausted: 'kill',
});
const warnings = [];
handle.on('warning', ({ code, errno }) => warnings.push({ code, errno }));
const keepAlive = setInterval(() => {}, 1_000);
const [{ reason }] = await once(handle, 'stopped');
clearInterval(keepAlive);
console.log(JSON.stringify({ reason, warnings }));
