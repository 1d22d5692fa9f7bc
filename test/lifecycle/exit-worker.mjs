// Run by exit.test.ts: so many workers, one after the other, go to a stage, say so, and end in the given way. The addon
// is loaded by them alone, and again by each.
import { writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const live = () => setInterval(() => {}, 1000);

const ends = {
  'nothing left to do': { worker: () => {} },
  'process.exit()': { worker: () => process.exit(0) },
  'an uncaught throw': {
    worker: () => {
      throw new Error('on purpose');
    },
  },
  'terminate()': { worker: live, main: (worker) => worker.terminate() },
  'the end of main': { worker: live, main: (worker) => worker.unref() },
  'process.exit() of main': { worker: live, main: () => process.exit(0) },
};

function startWorkers(count, engine, stage, end) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { engine, stage, end } });
  worker.on('error', (error) => {
    if (error.message !== 'on purpose') throw error;
  });
  worker.once('message', (reached) => {
    writeSync(1, `${reached}\n`);
    ends[end].main?.(worker);
  });
  worker.once('exit', () => {
    if (count > 1) startWorkers(count - 1, engine, stage, end);
  });
}

if (isMainThread) {
  const [engine, stage, end, count] = process.argv.slice(2);
  startWorkers(Number(count), engine, stage, end);
} else {
  const { stages } = await import('./stages.mjs');
  const { engine, stage, end } = workerData;
  globalThis.kept = await stages[stage](engine);
  parentPort.postMessage(stage);
  ends[end].worker();
}
