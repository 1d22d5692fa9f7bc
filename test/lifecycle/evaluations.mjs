// Run by evaluations.test.ts: the package evaluated again and again, in this thread and in workers, from one copy on
// disk and from two, with the addon loaded once for the thread and anew. All of them sample, read each other's rings,
// charge one budget and write one log at the same time. Reports what went wrong, and what was left behind.
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { evaluate, freshRealm } from '../support/evaluate.mjs';

const EVENTS_EACH = 8;
const root = new URL('../../', import.meta.url);

function forgetAddon() {
  const { cache } = createRequire(import.meta.url);
  for (const file of Object.keys(cache)) if (file.endsWith('.node')) delete cache[file];
}

/** A second copy of the package on disk, with an addon file of its own. */
function copyPackage() {
  const copy = mkdtempSync(join(tmpdir(), 'episcope-evaluations-'));
  mkdirSync(join(copy, 'build/Release'), { recursive: true });
  for (const file of ['package.json', 'dist', 'build/Release/episcope.node']) {
    cpSync(new URL(file, root), join(copy, file), { recursive: true });
  }
  symlinkSync(new URL('node_modules', root), join(copy, 'node_modules'));
  return copy;
}

async function evaluations(copy) {
  const all = [await evaluate(), await evaluate(), await evaluate({ context: freshRealm() })];
  forgetAddon();
  all.push(await evaluate(), await evaluate({ context: freshRealm() }));
  all.push(await evaluate({ copy: pathToFileURL(`${copy}/`) }));
  return all;
}

async function useTogether({ engine, copy, log, name, stops }) {
  const faults = [];
  const all = await evaluations(copy);
  const policy = { samplePeriodMs: 1, ringBufferCapacity: 64 };
  const budget = new all[0].BudgetTracker({ cpuMs: 3_600_000 });
  const sessions = all.map((episcope, index) => {
    const builder = episcope.TelemetryPolicy.builder();
    for (const [setting, value] of Object.entries(policy)) builder[setting](value);
    const collector = new episcope.TelemetryCollector(builder.build(), { engine });
    const shared = episcope.BudgetTracker.attach(budget.share());
    return collector.start(`${name}-${index}`, process.pid, { budget: shared, baseline: 'now' });
  });

  const read = async (episcope, index) => {
    const { episodeId } = sessions[index];
    const reader = new episcope.FrameReader(sessions[index].share());
    let next = 0;
    let batches = 0;
    for await (const { frames, missed } of reader.frames()) {
      // A reader that is lapped while it reads has what it missed in the middle of a batch.
      next += missed + frames.length;
      const last = frames.at(-1).seq;
      const rising = frames.every(({ seq }, i) => i === 0 || seq > frames[i - 1].seq);
      if (last + 1 !== next || !rising) {
        faults.push(
          `${episodeId}: ${frames.map(({ seq }) => seq)} and ${missed} missed before ${next}`,
        );
      }
      if (++batches === 3) return;
    }
    faults.push(`${episodeId} ended while it was read`);
  };
  const write = async (episcope, index) => {
    const options = { singleProcess: engine === 'js' };
    const writer = new episcope.ReviewerTelemetryWriter(log, options, engine);
    for (let i = 0; i < EVENTS_EACH; i++) await writer.append({ by: `${name}-${index}`, i });
  };
  await Promise.all([
    ...all.map((episcope, index) => read(episcope, (index + 1) % all.length)),
    ...all.map((episcope, index) => read(episcope, index)),
    ...all.map(write),
  ]);
  if (engine === 'native') {
    const claimed = all.slice(0, 5).map((episcope) => {
      try {
        return episcope.newSharedCollector().start(`${name}-claimed`, process.pid);
      } catch (error) {
        if (error.code !== 'ERR_ALREADY_STARTED') faults.push(error.stack);
        return null;
      }
    });
    const holders = claimed.filter((handle) => handle !== null);
    if (holders.length !== 1) faults.push(`${holders.length} sessions of one shared id`);
    for (const handle of holders) await handle.stop();
  }
  for (const handle of sessions.slice(0, stops)) await handle.stop();
  if (stops >= sessions.length && budget.consumed().cpuMs === 0) faults.push('nothing was charged');
  return { faults, rings: sessions.map((handle) => handle.share()) };
}

const threads = () => readdirSync('/proc/self/task').length;
const files = () => readdirSync('/proc/self/fd').length;

if (isMainThread) {
  const engine = process.argv[2];
  const copy = copyPackage();
  const log = join(copy, 'log.ndjson');
  const faults = [];
  const { FrameReader } = await evaluate();
  const runWorker = async (plan) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: plan });
    const rings = [];
    worker.on('message', (told) => {
      faults.push(...told.faults);
      rings.push(...told.rings);
      if (plan.death === 'terminate()') void worker.terminate();
    });
    worker.on('error', (error) => faults.push(error.stack));
    await new Promise((resolve) => worker.once('exit', resolve));
    if (rings.length === 0) faults.push(`${plan.name} told nothing`);
    // The JS engine's sampler is a worker of the worker: it is terminated with it.
    if (engine === 'js' && plan.death === 'terminate()') return;
    for (const ring of rings) {
      const reader = new FrameReader(ring);
      const last = reader.read().frames.at(-1);
      if (!reader.ended || !last.o11yFlags.terminal) faults.push(`${reader.episodeId} has no end`);
    }
  };
  try {
    const main = await useTogether({ engine, copy, log, name: 'main', stops: 99 });
    faults.push(...main.faults);
    // libuv opens a spare descriptor with a loop's first stream, and the workers' output would be that.
    void process.stdout;
    const before = { threads: threads(), files: files() };
    const deaths = ['nothing left to do', 'process.exit()', 'terminate()'];
    const plans = deaths.map((death, index) => ({
      engine,
      copy,
      // Without the lock that only the addon takes, a log is one thread's.
      log: engine === 'js' ? `${log}-${index}` : log,
      name: `worker${index}`,
      stops: 2 * index,
      death,
    }));
    await Promise.all(plans.map(runWorker));
    const after = () => ({ threads: threads() - before.threads, files: files() - before.files });
    for (let tries = 0; tries < 400 && after().files + after().threads > 0; tries++) await delay(5);
    const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
    const distinct = new Set(lines.map((line) => JSON.stringify(JSON.parse(line)))).size;
    console.log(JSON.stringify({ faults, left: after(), lines: lines.length, distinct }));
  } finally {
    rmSync(copy, { recursive: true });
  }
} else {
  const { parentPort } = await import('node:worker_threads');
  parentPort.postMessage(await useTogether(workerData));
  if (workerData.death === 'process.exit()') process.exit(0);
  if (workerData.death === 'terminate()') setInterval(() => {}, 1000);
}
