// Run by dropped.test.ts (node --expose-gc): rounds of sessions that are stopped, or dropped and ended by their
// process's end, and what is left of them afterwards.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { FrameReader, TelemetryCollector, TelemetryPolicy } from 'episcope';

const [engine, rounds] = [process.argv[2], Number(process.argv[3])];
const SESSIONS = 10;

const policy = TelemetryPolicy.builder().samplePeriodMs(1).ringBufferCapacity(8).build();
const usage = () => ({
  files: readdirSync('/proc/self/fd').length,
  threads: readdirSync('/proc/self/task').length,
});

/** Sessions of a process that then ends; every other one is stopped, nothing holds the rest. */
async function round(refs) {
  const collector = new TelemetryCollector(policy, { engine });
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const readers = [];
  for (let i = 0; i < SESSIONS; i++) {
    const handle = collector.start(`episode-${i}`, child.pid);
    refs.push(new WeakRef(handle));
    if (i % 2 === 0) await handle.stop();
    else readers.push(new FrameReader(handle.share()));
  }
  globalThis.gc();
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  while (!readers.every((reader) => reader.ended)) await delay(1);
}

/** Handles that live on, however often garbage is collected. */
async function living(refs) {
  for (let tries = 0; tries < 50 && refs.some((ref) => ref.deref() !== undefined); tries++) {
    // What a WeakRef gave out lives until the turn ends; finalizers run in tasks of their own.
    await delay(1);
    globalThis.gc();
  }
  return refs.filter((ref) => ref.deref() !== undefined).length;
}

const atFirst = usage();
const warmUp = [];
await round(warmUp);
const left = await living(warmUp);
const before = usage();
const refs = [];
for (let i = 0; i < rounds; i++) await round(refs);
const alive = left + (await living(refs));
const after = usage();
console.log(
  JSON.stringify({
    alive,
    files: after.files - before.files,
    threads: after.threads - atFirst.threads,
  }),
);
