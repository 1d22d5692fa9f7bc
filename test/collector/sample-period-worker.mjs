// Started in a worker: a session that is re-timed there, and read there as its frames come.
import { parentPort, workerData } from 'node:worker_threads';
import { TelemetryCollector, TelemetryPolicy } from 'episcope';

const policy = TelemetryPolicy.builder().samplePeriodMs(3_600_000).build();
const handle = new TelemetryCollector(policy, workerData).start('worker', process.pid);
const frames = handle.frames();
await frames.next();
const next = frames.next();
handle.setSamplePeriod(1);
for (let batch = await next; !batch.done && handle.seq < 20; ) batch = await frames.next();
await handle.stop();
try {
  handle.setSamplePeriod(2);
} catch ({ code }) {
  parentPort.postMessage({ seq: handle.seq, code });
}
