// Run by heap.test.ts in a process of its own (node --expose-gc): JavaScript heap of this thread per frame, as the
// slope between two run lengths after warm-up. `sampled`: the engine's sampler takes the frames while this thread
// sleeps; `collected`: this thread takes them itself, which gives it an object for each.
import { PerformanceObserver } from 'node:perf_hooks';
import { TelemetryCollector, TelemetryPolicy } from 'episcope';

const [engine, mode, cgroupPath, warmUp, short, long] = process.argv.slice(2);

const policy = TelemetryPolicy.builder().samplePeriodMs(1).ringBufferCapacity(16).build();
const collector = new TelemetryCollector(policy, { engine, requireCgroupfs: false });
const manual = mode === 'collected';
const handle = collector.start('heap', process.pid, { cgroupPath, manual });

const never = new Int32Array(new SharedArrayBuffer(4));
function pass(frames) {
  if (manual) {
    for (let i = 0; i < frames; i++) collector.collect(handle);
    return;
  }
  const end = handle.seq + frames;
  while (handle.seq < end) Atomics.wait(never, 0, 0, 20);
}

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
  const seq = handle.seq;
  const before = process.memoryUsage().heapUsed;
  pass(frames);
  const bytes = process.memoryUsage().heapUsed - before;
  const taken = handle.seq - seq;
  await reported();
  return { bytes, taken };
}

await growth(Number(warmUp));
const first = await growth(Number(short));
const seen = collections;
const second = await growth(Number(long));
console.log(
  JSON.stringify({
    bytesPerFrame: (second.bytes - first.bytes) / (second.taken - first.taken),
    collections: seen + collections,
    frames: second.taken - first.taken,
  }),
);
process.exit();
