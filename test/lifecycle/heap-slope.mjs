// Run by heap.test.ts in a process of its own (node --expose-gc): JavaScript heap per sampled frame, as the slope
// between two run lengths after warm-up. Node's own timer leaves some 250 bytes a tick behind, so the session's tick
// is taken from setInterval and called here: what grows is the session's.
import { PerformanceObserver } from 'node:perf_hooks';
import { TelemetryCollector, TelemetryPolicy } from 'episcope';

const [engine, cgroupPath, warmUp, short, long] = process.argv.slice(2);

let tick;
globalThis.setInterval = (callback) => {
  tick = callback;
  return { unref() {}, [Symbol.toPrimitive]: () => 0 };
};
const policy = TelemetryPolicy.builder().samplePeriodMs(1).ringBufferCapacity(16).build();
const collector = new TelemetryCollector(policy, { engine, requireCgroupfs: false });
const handle = collector.start('heap', process.pid, { cgroupPath });

let collections = 0;
const count = (list) => {
  collections += list.getEntries().length;
};
new PerformanceObserver(count).observe({ entryTypes: ['gc'] });
const reported = () => new Promise((resolve) => setTimeout(resolve, 20));

async function growth(frames) {
  globalThis.gc();
  await reported();
  collections = 0;
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < frames; i++) tick();
  const bytes = process.memoryUsage().heapUsed - before;
  await reported();
  return bytes;
}

await growth(Number(warmUp));
const first = await growth(Number(short));
const seen = collections;
const second = await growth(Number(long));
console.log(
  JSON.stringify({
    bytesPerFrame: (second - first) / (Number(long) - Number(short)),
    collections: seen + collections,
    frames: handle.seq,
  }),
);
process.exit();
