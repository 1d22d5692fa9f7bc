/** How far a thread that uses the package may be when it ends. Each resolves when it is there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { BudgetTracker, TelemetryCollector, TelemetryPolicy } from 'episcope';

const policy = TelemetryPolicy.builder().samplePeriodMs(1).ringBufferCapacity(64).build();
const makeCollector = (engine) => new TelemetryCollector(policy, { engine });
const start = (engine) => makeCollector(engine).start('episode', process.pid);

async function frames(handle, count) {
  while (handle.seq < count) await delay(1);
}

async function sampling(engine) {
  const handle = start(engine);
  await frames(handle, 3);
  return handle;
}

export const stages = {
  created: makeCollector,

  started: start,

  sampling,

  async reading(engine) {
    const handle = start(engine);
    const reader = new Worker(new URL('./stage-reader.mjs', import.meta.url), {
      workerData: handle.share(),
    });
    await once(reader, 'message');
    reader.unref();
    return handle;
  },

  async enforcing(engine) {
    const child = spawn('sleep', ['20'], { stdio: 'ignore' });
    child.unref();
    const handle = makeCollector(engine).start('limited', child.pid, {
      tier: 'proc',
      budget: new BudgetTracker({ wallMs: 3 }),
      onExhausted: 'kill',
      recorder: { write: () => {} },
    });
    await frames(handle, 2);
    return handle;
  },

  async closing(engine) {
    const handle = await sampling(engine);
    void handle.stop();
    return handle;
  },

  async stopped(engine) {
    const handle = await sampling(engine);
    await handle.stop();
    return handle;
  },

  async dropped(engine) {
    await sampling(engine);
    globalThis.gc();
    // Time for the sampler to write where nobody in JavaScript looks any more.
    const another = makeCollector(engine).start('another', process.pid);
    await frames(another, 10);
    globalThis.gc();
    await frames(another, 20);
    await another.stop();
  },
};
