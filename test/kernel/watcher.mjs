// Watches two signals and sends them to itself.
import { Socket } from 'node:net';
import { decodeSignals, processControl } from '../../dist/kernel/process-control.js';

const { control } = processControl();
const { fd } = control.watchSignals([15, 10]);
const { errno: again } = control.watchSignals([15]);
const signals = [];
new Socket({ fd, readable: true, writable: false }).on('data', (chunk) => {
  signals.push(...decodeSignals(chunk).map((each) => [each.signo, each.code, each.senderPid]));
  if (signals.length < 2) return process.kill(process.pid, 'SIGUSR1');
  console.log(JSON.stringify({ signals, again, self: process.pid }));
  process.exit();
});
process.kill(process.pid, 'SIGTERM');
