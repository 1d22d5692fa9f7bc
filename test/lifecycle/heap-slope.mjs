// Run by heap.test.ts in a process of its own (node --expose-gc): JavaScript heap of this thread per frame, as the
// slope between two run lengths, `short` and so many `more`, after warm-up. `sampled`: the engine's sampler takes the
// frames while this thread sleeps; `collected`: this thread takes them itself, which gives it an object for each.
import { PerformanceObserver } from 'node:perf_hooks';
import { TelemetryCollector, TelemetryPolicy } from 'episcope';

const [engine, mode, cgroupPath, warmUp, short, more] = process.argv.slice(2);

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

const collections = [];
new PerformanceObserver((list) => collections.push(...list.getEntries())).observe({
  entryTypes: ['gc'],
});

/** Collects, and resolves once that is reported: so is, then, every collection before it. */
async function collect() {
  const called = performance.now();
  globalThis.gc();
  while (!collections.some(({ startTime }) => startTime >= called)) {
    await new Promise(setImmediate);
  }
}

async function growth(frames) {
  await collect();
  const seq = handle.seq;
  const began = performance.now();
  const before = process.memoryUsage().heapUsed;
  pass(frames);
  const bytes = process.memoryUsage().heapUsed - before;
  const ended = performance.now();
  const taken = handle.seq - seq;
  await collect();
  const during = collections.filter(({ startTime }) => startTime >= began && startTime < ended);
  return { bytes, taken, collections: during.length };
}

// More than once, so that all that is called below has been called.
for (let i = 0; i < 5; i++) await growth(Number(warmUp) / 5);
const first = await growth(Number(short));
// However many more than asked for the first were.
const second = await growth(first.taken + Number(more));
console.log(
  JSON.stringify({
    bytesPerFrame: (second.bytes - first.bytes) / (second.taken - first.taken),
    collections: first.collections + second.collections,
    frames: second.taken - first.taken,
  }),
);
process.exit();
