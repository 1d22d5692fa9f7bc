// Children that end all at once, in the main thread or in a worker: how each ended, as the kernel told.
// Prints how many of each.
import { spawn } from 'node:child_process';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { exitOf } from '../../dist/kernel/child-exit.js';

async function ends(count) {
  const children = Array.from({ length: count }, (_, i) => {
    const end = i % 2 === 0 ? `kill -${34 + (i % 8)} $$` : 'exit 0';
    return spawn('sh', ['-c', `read go; ${end}`], { stdio: ['pipe', 'ignore', 'inherit'] });
  });
  const exits = children.map(exitOf);
  for (const child of children) child.stdin.end('\n');
  const counts = {};
  for (const { code, signal } of await Promise.all(exits)) {
    counts[signal ?? code] = (counts[signal ?? code] ?? 0) + 1;
  }
  return counts;
}

const [where, count] = isMainThread ? process.argv.slice(2) : workerData;
if (where === 'worker' && isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { workerData: [where, count] });
  worker.once('message', (counts) => console.log(JSON.stringify(counts)));
} else if (isMainThread) {
  console.log(JSON.stringify(await ends(Number(count))));
} else {
  parentPort.postMessage(await ends(Number(count)));
}
