// One of the workers of workers.mjs: does what its plan says, and ends as it says.
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { TelemetryCollector, TelemetryPolicy } from 'episcope';

const { plan, shared } = workerData;
const { FrameReader } = await import(plan.reader);

const policy = TelemetryPolicy.builder()
  .samplePeriodMs(plan.periodMs)
  .ringBufferCapacity(32)
  .build();
const collector = new TelemetryCollector(policy, { engine: plan.engine });
const handles = [];
for (let i = 0; i < plan.sessions; i++) {
  const handle = collector.start(`worker-${plan.index}-${i}`, process.pid);
  handles.push(handle);
  parentPort.postMessage({ shared: handle.share(), stopped: false });
}

const ways = {
  nothing: async () => {},
  'frames()': async (reader) => {
    let batches = 0;
    for await (const { frames } of reader.frames({ from: 'latest' })) {
      if (frames.length === 0) throw new Error('a batch without a frame');
      if (++batches === 3) break;
    }
  },
  'read()': async (reader) => {
    for (let frames = 0; frames < 5; frames += reader.read().frames.length) await delay(1);
  },
};
const readers = [shared, ...handles.map((handle) => handle.share())].map(
  (ring) => new FrameReader(ring),
);
await Promise.all(readers.map(ways[plan.reads]));

for (const handle of handles.slice(0, plan.stops)) {
  await handle.stop();
  parentPort.postMessage({ shared: handle.share(), stopped: true });
}

if (plan.death === 'process.exit()') process.exit(0);
if (plan.death === 'an uncaught throw') throw new Error('on purpose');
// Still reading when it is terminated.
if (plan.death === 'terminate()') {
  for (const reader of readers) void reader.frames().next();
}
if (plan.death.startsWith('terminate()')) setInterval(() => {}, 1000);
parentPort.postMessage('done');
