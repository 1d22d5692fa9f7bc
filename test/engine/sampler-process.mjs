// A process that starts an episode and ends in the way its second argument says; see sampler-process.test.ts.

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { selectEngine } from '../../dist/engine/select.js';
import { createRing } from '../../dist/ring/index.js';
import { openAtomicSlots } from '../../dist/ring/slot-reader.js';
import { FrameWord, RING_SLOT_WORDS, RingHeader } from '../../dist/schema/layout.js';

const [engine, how] = process.argv.slice(2);
const episodeId = 'process';
const { pid } = process;
let batches = 0;
let episode;

function start(ring) {
  const spec = {
    episodeId,
    pid,
    ring,
    tier: 'auto',
    cgroup: null,
    procRoot: '/proc',
    reaperPid: 0,
    memoryStatPeriodNs: 0n,
    periodNs: 1_000_000n,
    fastPeriodNs: 1_000_000n,
    tripwires: [],
    budget: null,
    onExhausted: 'stop',
    notifyEvery: how.startsWith('waits') ? 1 : 0,
  };
  episode = selectEngine(engine).startEpisode(spec, (news) => {
    batches++;
    if (how === 'waits' && batches === 5) episode.setWaiting(false);
    if (how === 'waits for the end' && batches === 5) episode.requestEnd();
    if (news.ended !== null) console.log('ended');
  });
}

const newRing = () =>
  createRing({ episodeId, pid, startMonoNs: process.hrtime.bigint(), capacity: 64 });
const headOf = (ring) => Atomics.load(new Uint32Array(ring), RingHeader.HEAD / 4);

/** What another thread sees in the ring of a thread that is gone. */
function tell(ring) {
  const slots = openAtomicSlots(ring);
  const words = new BigUint64Array(RING_SLOT_WORDS);
  slots.copyLatest(new Uint32Array(words.buffer));
  console.log(JSON.stringify({ ended: slots.ended, flags: Number(words[FrameWord.META]) & 0x1f }));
}

if (!isMainThread) {
  start(workerData);
  while (headOf(workerData) < 3);
  if (how === 'thread exits') process.exit(0);
  if (how === 'thread throws') throw new Error('on purpose');
  // Kept alive by its port, until it is terminated.
  if (how === 'thread is terminated') parentPort.once('message', () => {});
  parentPort.postMessage('sampled');
} else if (how.startsWith('thread')) {
  const ring = newRing();
  const worker = new Worker(new URL(import.meta.url), {
    argv: [engine, how],
    workerData: ring,
  });
  worker.on('error', () => {});
  if (how === 'thread is terminated') worker.once('message', () => worker.terminate());
  worker.once('exit', () => tell(ring));
} else {
  start(newRing());
  if (how.startsWith('waits')) episode.setWaiting(true);
  process.once('exit', () => console.log(batches >= 5 ? 'told' : 'not told'));
  if (how === 'exits') process.exit(0);
}
