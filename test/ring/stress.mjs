// Every kind of reader behind a native writer at full speed: whole frames, in order, and returned + missed = written.
//
//   npx node-gyp rebuild -C native/test/stress
//   node test/ring/stress.mjs FRAMES [capacity…] [--tearing]
//
// FRAMES are shared out over the capacities. Each capacity is also run from just before the index at which the stamps
// wrap, and from just before the one at which the head does. `--tearing` takes a writer that forgets the odd stamp: a
// run that must fail.

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { createRing } from '../../dist/ring/index.js';
import { RingHeader } from '../../dist/schema/layout.js';

const DEFAULT_CAPACITIES = [1, 2, 64, 1024];
const BEFORE_WRAP = 50_000;
const WRAP_FRAMES = 4 * BEFORE_WRAP;
const CPP_READERS = 2;

const tearing = process.argv.includes('--tearing');
const numbers = process.argv.slice(2).filter((argument) => argument !== '--tearing');
const [frames, ...capacities] = numbers.map(Number);
if (capacities.length === 0) capacities.push(...DEFAULT_CAPACITIES);
if (!Number.isSafeInteger(frames) || frames < 1 || capacities.some((one) => !(one >= 1))) {
  process.stderr.write('usage: stress.mjs FRAMES [capacity…] [--tearing]\n');
  process.exit(2);
}

const addon = createRequire(import.meta.url)(
  '../../native/test/stress/build/Release/ring_stress.node',
);
const workers = ['native', 'atomics'].map((kind) => ({
  kind,
  worker: new Worker(new URL('./stress-reader.mjs', import.meta.url), { workerData: { kind } }),
}));
const message = async ({ worker }) => (await once(worker, 'message'))[0];

/** One ring from its first frame to its last, read by everybody. */
async function run(capacity, first, count) {
  const shared = createRing({ episodeId: 'stress', pid: 1, startMonoNs: 0n, capacity, first });
  const words = new Uint32Array(shared);
  const head = () => Atomics.load(words, RingHeader.HEAD / 4);

  const bound = workers.map(message);
  for (const { worker } of workers) worker.postMessage(shared);
  await Promise.all(bound);
  const accounts = workers.map(message);
  const threads = Array.from({ length: CPP_READERS }, () => addon.startReader(words));
  const writer = addon.startWriter(words, count, tearing);

  const progress = process.stderr.isTTY
    ? setInterval(() => {
        const done = (((head() - first) >>> 0) / count) * 100;
        process.stderr.write(`\rcapacity ${capacity}, first ${first}: ${done.toFixed(0)} % `);
      }, 500)
    : undefined;
  const read = [];
  for (const [i, account] of (await Promise.all(accounts)).entries()) {
    read.push({ kind: workers[i].kind, ...account });
  }
  clearInterval(progress);
  addon.join(writer);
  for (const thread of threads) read.push({ kind: 'c++', ...addon.join(thread) });
  return read;
}

const started = performance.now();
const readers = new Map();
let written = 0;
let kept = true;
for (const capacity of capacities) {
  for (const [first, count] of [
    [0, Math.ceil(frames / capacities.length)],
    [2 ** 31 - BEFORE_WRAP, WRAP_FRAMES],
    [2 ** 32 - BEFORE_WRAP, WRAP_FRAMES],
  ]) {
    written += count;
    for (const { kind, returned, missed, torn, disordered, corrupt } of await run(
      capacity,
      first,
      count,
    )) {
      const sum = readers.get(kind) ?? { kind, returned: 0, missed: 0, torn: 0, disordered: 0 };
      sum.returned += returned;
      sum.missed += missed;
      sum.torn += torn;
      sum.disordered += disordered;
      readers.set(kind, sum);
      kept &&= torn === 0 && disordered === 0 && !corrupt && returned + missed === count;
    }
  }
}
for (const { worker } of workers) await worker.terminate();
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');

const seconds = Math.round(performance.now() - started) / 1000;
process.stdout.write(`${JSON.stringify({ written, readers: [...readers.values()], seconds })}\n`);
process.exitCode = kept ? 0 : 1;
