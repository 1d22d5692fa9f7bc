// Run by workers.test.ts: `count` workers, at most 12 alive, each with a plan that follows from the seed. Reports, when
// all are gone, what they left behind.
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { FrameReader, TelemetryCollector, TelemetryPolicy } from 'episcope';
import { Random } from './random.mjs';

const AT_ONCE = 12;
const [engine, count, seed] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const random = new Random(seed);

const policy = TelemetryPolicy.builder().samplePeriodMs(2).ringBufferCapacity(32).build();
const collector = new TelemetryCollector(policy, { engine });
const openFiles = () => readdirSync('/proc/self/fd').length;
const faults = [];

const DEATHS = [
  'nothing left to do',
  'process.exit()',
  'an uncaught throw',
  'terminate()',
  'terminate() at any moment',
];

/** Everything about a worker that chance decides. */
const makePlan = (index) => ({
  engine,
  index,
  sessions: random.below(4),
  periodMs: 1 + random.below(5),
  reads: random.of(['nothing', 'frames()', 'read()']),
  reader: random.of(['episcope', 'episcope/reader']),
  stops: random.below(3),
  death: random.of(DEATHS),
  momentMs: random.below(80),
});

/** Resolves, when the worker is gone, to the rings of the sessions that it started and told of. */
async function runWorker(plan, shared) {
  const worker = new Worker(new URL('./workers-worker.mjs', import.meta.url), {
    workerData: { plan, shared },
  });
  const rings = [];
  const gone = new Promise((resolve) => worker.once('exit', resolve));
  worker.on('error', (error) => {
    if (error.message !== 'on purpose') faults.push(`worker ${plan.index}: ${error.stack}`);
  });
  worker.on('message', (message) => {
    if (message !== 'done') rings.push(message);
    else if (plan.death === 'terminate()') void worker.terminate();
  });
  if (plan.death === 'terminate() at any moment') {
    await delay(plan.momentMs);
    void worker.terminate();
  }
  await gone;
  return rings;
}

/** `owed`: the ring must have ended. Where it has, its last frame is its one terminal frame. */
function checkRing(shared, owed) {
  const reader = new FrameReader(shared);
  const { frames } = reader.read();
  const terminal = frames.filter((frame) => frame.o11yFlags.terminal).map((frame) => frame.seq);
  const last = frames.at(-1).seq;
  const whole = reader.ended && terminal.length === 1 && terminal[0] === last;
  if (whole || (!owed && !reader.ended)) return;
  faults.push(`${reader.episodeId}: ended ${reader.ended}, terminal [${terminal}], last ${last}`);
}

const plans = Array.from({ length: count }, (_, index) => makePlan(index));
let rings = 0;

/** A session of this thread, and these workers, all of which may read it. Resolves when the session has ended. */
async function runWorkers(episode, plans) {
  const handle = collector.start(episode, process.pid);
  const runSome = async () => {
    for (let plan = plans.pop(); plan !== undefined; plan = plans.pop()) {
      // The JS engine's sampler is a worker of the worker: it is terminated with it.
      const owed = engine === 'native' || !plan.death.startsWith('terminate()');
      for (const { shared, stopped } of await runWorker(plan, handle.share())) {
        rings++;
        checkRing(shared, owed || stopped);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runSome));
  await handle.stop();
  checkRing(handle.share(), true);
}

// The first ones open, once and for all, what a process keeps.
await runWorkers('first', [{ ...makePlan('first'), sessions: 1, reads: 'frames()' }]);
const filesBefore = openFiles();
await runWorkers('main', plans);
// A session's files are closed by its sampler, when it has told of the end.
for (let tries = 0; tries < 400 && openFiles() > filesBefore; tries++) await delay(5);
console.log(JSON.stringify({ faults, rings, files: openFiles() - filesBefore }));
