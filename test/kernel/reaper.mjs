// A subreaper with one child of its own (exit 7) that leaves two orphans behind.
import { spawn } from 'node:child_process';
import { processControl } from '../../dist/kernel/process-control.js';

const { control } = processControl();
control.setSubreaper();
let reaped = 0;
// The orphans end before their subreaper's own child does, so that its zombie comes first only for the last.
const child = spawn('/bin/sh', ['-c', '(sleep 0.05 &); (sleep 0.05 &); sleep 0.2; exit 7']);
const reap = () => {
  reaped += control.reapAdopted(child.exitCode === null ? child.pid : 0);
};
process.on('SIGCHLD', reap);
child.on('exit', (code) => {
  reap();
  const report = () => {
    reap();
    if (control.hasChildren()) return setTimeout(report, 5);
    console.log(JSON.stringify({ code, reaped, left: control.hasChildren() }));
    process.exit();
  };
  report();
});
