// Run by exit.test.ts: main reads, with frames(), the ring of a session that a worker started, samples, and ends with.
import { writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { FrameReader, TelemetryCollector, TelemetryPolicy } from 'episcope';

if (isMainThread) {
  const [engine, end] = process.argv.slice(2);
  const worker = new Worker(new URL(import.meta.url), { workerData: engine });
  worker.on('error', (error) => {
    if (error.message !== 'on purpose') throw error;
  });
  worker.once('message', async (shared) => {
    const read = [];
    let missed = 0;
    let ending = false;
    for await (const batch of new FrameReader(shared).frames()) {
      read.push(...batch.frames);
      missed += batch.missed;
      if (ending || read.length < 3) continue;
      ending = true;
      if (end === 'terminate()') void worker.terminate();
      else worker.postMessage(end);
    }
    const terminal = read.filter((frame) => frame.o11yFlags.terminal).map((frame) => frame.seq);
    const last = read.at(-1).seq;
    writeSync(1, JSON.stringify({ terminal, last, accounted: read.length + missed }));
  });
} else {
  const policy = TelemetryPolicy.builder().samplePeriodMs(1).ringBufferCapacity(16).build();
  const handle = new TelemetryCollector(policy, { engine: workerData }).start(
    'episode',
    process.pid,
  );
  parentPort.postMessage(handle.share());
  parentPort.once('message', (end) => {
    if (end === 'process.exit()') process.exit(0);
    if (end === 'an uncaught throw') throw new Error('on purpose');
  });
}
