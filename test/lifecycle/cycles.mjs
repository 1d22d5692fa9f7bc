// Run by leak.test.ts in a process of its own (node --expose-gc): starts and stops sessions, and reports open
// descriptors and resident memory after a warm-up and after the rest.
import { readdirSync } from 'node:fs';
import { TelemetryCollector, TelemetryPolicy } from 'episcope';

const [engine, warmUp, cycles] = [
  process.argv[2],
  Number(process.argv[3]),
  Number(process.argv[4]),
];
const policy = TelemetryPolicy.builder().samplePeriodMs(1000).ringBufferCapacity(4).build();
const collector = new TelemetryCollector(policy, { engine });

async function run(count) {
  for (let i = 0; i < count; i++) {
    const handle = collector.start(`cycle-${i}`, process.pid);
    await handle.stop();
    if (i % 500 === 0) globalThis.gc();
  }
  // Finalizers of collected handles run in a task of their own.
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { fds: readdirSync('/proc/self/fd').length, rssBytes: process.memoryUsage.rss() };
}

const before = await run(warmUp);
const half = await run(cycles / 2);
const after = await run(cycles / 2);
console.log(JSON.stringify({ before, half, after }));
