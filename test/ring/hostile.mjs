// A reader over memory that another thread fills with lies: what it gave and what it threw, by code.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { createRing } from '../../dist/ring/index.js';
import { READERS } from './readers.mjs';

const FrameReader = READERS[process.argv[2]];
const ROUNDS = 3_000;
const CANARY = 0x5eed5eed;

const ring = createRing({ episodeId: 'job', pid: 1, startMonoNs: 0n, capacity: 16 });
const stop = new SharedArrayBuffer(4);
const worker = new Worker(new URL('./hostile-writer.mjs', import.meta.url), {
  workerData: { ring, stop, seed: Number(process.argv[3]) },
});
await once(worker, 'message');

const told = { frames: 0, opened: 0, codes: {}, other: [], overrun: false };
const memory = new Uint32Array(64 * 18).fill(CANARY);
const out = memory.subarray(64, 64 * 17);

function attempt(action) {
  try {
    return action();
  } catch (error) {
    refuse(error);
    return null;
  }
}

function refuse(error) {
  if (/^ERR_RING_(CORRUPT|VERSION)$/.test(error?.code))
    told.codes[error.code] = (told.codes[error.code] ?? 0) + 1;
  else told.other.push(String(error?.stack));
}

for (let round = 0; round < ROUNDS; round++) {
  const reader = attempt(() => new FrameReader(ring, { bigint: round % 2 === 0 }));
  if (reader === null) continue;
  told.opened++;
  for (let i = 0; i < 4; i++) {
    told.frames += attempt(() => reader.read())?.frames.length ?? 0;
    told.frames += attempt(() => reader.readInto(out)) ?? 0;
    attempt(() => reader.available + reader.missed + Number(reader.ended));
  }
  if (round % 16 === 0) attempt(() => reader.latest());
  const batches = attempt(() => reader.frames({ from: round % 3 === 0 ? 'latest' : 'oldest' }));
  if (batches === null) continue;
  const next = batches.next();
  // A head that lies makes it wait for a frame that never comes.
  const [result] = await Promise.allSettled([
    next,
    new Promise(setImmediate).then(() => batches.return()),
  ]);
  if (result.status === 'rejected') refuse(result.reason);
  else told.frames += result.value.value?.frames.length ?? 0;
}
Atomics.store(new Int32Array(stop), 0, 1);
await once(worker, 'exit');
told.overrun = [...memory.subarray(0, 64), ...memory.subarray(64 * 17)].some(
  (word) => word !== CANARY,
);
process.stdout.write(JSON.stringify(told));
