// Watches all signals that tell of a fault, and commits one.
import { constants } from 'node:os';
import { processControl } from '../../dist/kernel/process-control.js';

const name = process.argv[2];
const { signals } = constants;
processControl().control.watchSignals([
  signals.SIGABRT,
  signals.SIGSEGV,
  signals.SIGTRAP,
  signals.SIGSYS,
]);
if (name === 'SIGABRT') process.abort();
process.kill(process.pid, name);
setTimeout(() => {}, 60_000);
