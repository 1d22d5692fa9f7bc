/** Measures the time from a frame in the ring to its delivery to a worker that iterates `frames()`. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { percentile, us } from '../statistics.mjs';

async function readAll() {
  const { FrameReader } = await import(workerData.reader);
  const reader = new FrameReader(workerData.shared, { bigint: true });
  const delays = [];
  parentPort.postMessage('reading');
  for await (const { frames } of reader.frames({ from: 'latest' })) {
    const now = process.hrtime.bigint();
    const frame = frames.at(-1);
    // Frames that arrived while the reader was busy would measure its work, not its wake.
    if (frames.length === 1) delays.push(Number(now - frame.tsMono - (frame.collectNs ?? 0n)));
  }
  parentPort.postMessage(delays);
}

if (!isMainThread) await readAll();

/** `reader` is the module from which the worker imports FrameReader. */
export async function wakeToRead(engine, reader, { seconds = 10, periodMs = 5 } = {}) {
  const { TelemetryCollector, TelemetryPolicy } = await import('episcope');
  const policy = TelemetryPolicy.builder().samplePeriodMs(periodMs).build();
  const handle = new TelemetryCollector(policy, { engine }).start('wake', process.pid);
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: { shared: handle.share(), reader },
  });
  await once(worker, 'message');
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const message = once(worker, 'message');
  await handle.stop();
  const [all] = await message;
  const delays = all.slice(20, -1);
  return {
    reader,
    period_ms: periodMs,
    frames: delays.length,
    p50_us: us(percentile(delays, 0.5)),
    p99_us: us(percentile(delays, 0.99)),
  };
}
