// Run in a pid namespace of its own with the /proc of the outer one, where the numbers from argv[2] on are those of
// bystanders: tells what episcope says of that /proc, and of a child that has such a number here.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { BudgetTracker, createEpisodeScope, ProcReader, TelemetryCollector } from 'episcope';
import { killEverything } from '../../dist/kernel/process-killer.js';
import { whyForeignProc } from '../../dist/kernel/procfs.js';
import { killDescendants } from '../../dist/scope/index.js';

const [first, engine, leaf] = process.argv.slice(2);

const codeOf = async (act) => {
  try {
    await act();
    return null;
  } catch (error) {
    return error.code;
  }
};

writeFileSync('/proc/sys/kernel/ns_last_pid', String(Number(first) - 1));
const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
const { pid } = child;
const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
const starttime = BigInt(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]);

const collector = new TelemetryCollector(undefined, { engine });
const told = {
  pid,
  why: whyForeignProc(),
  start: await codeOf(() => collector.start('tree', pid)),
  manual: await codeOf(() => collector.start('tree', pid, { manual: true })),
  reader: await codeOf(() => new ProcReader(pid, { engine })),
  scope: await codeOf(() => createEpisodeScope(`foreign-${process.ppid}-${pid}`, pid)),
  descendants: await codeOf(() => killDescendants(pid)),
  members: await killEverything({
    cgroup: null,
    processes: [{ pid, starttime }],
    reapers: [1],
    maySignal: true,
  }),
};

// By its cgroup it can be measured and killed.
if (leaf !== undefined) {
  mkdirSync(leaf);
  writeFileSync(`${leaf}/cgroup.procs`, String(pid));
  const budget = new BudgetTracker({ wallMs: 200 });
  const handle = collector.start('leaf', pid, {
    cgroupPath: leaf,
    budget,
    onExhausted: 'kill',
  });
  told.warnings = [];
  handle.on('warning', ({ code }) => told.warnings.push(code));
  const frame = await handle.sampleNow();
  told.sources = frame.sources;
  told.memory = frame.memRssBytes;
  told.io = frame.ioReadBytes;
  [, told.signal] = await once(child, 'exit');
  await handle.stop();
  rmdirSync(leaf);
}
child.kill('SIGKILL');
console.log(JSON.stringify(told));
