/** Measures the main thread's cpu time with 1,000 episodes at 10 Hz, and the total per frame against a single episode. */
import { readFileSync } from 'node:fs';
import { TelemetryCollector, TelemetryPolicy } from 'episcope';
import { ratio, sleep, us } from '../statistics.mjs';

const PERIOD_MS = 100;

/** Returns the cpu time of the main thread in ns, the first number of its schedstat. */
function mainThreadNs() {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]);
}

function processNs() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

async function measure(engine, pid, episodes, seconds) {
  const policy = TelemetryPolicy.builder().samplePeriodMs(PERIOD_MS).ringBufferCapacity(64).build();
  const collector = new TelemetryCollector(policy, { engine });
  const handles = [];
  for (let i = 0; i < episodes; i++)
    handles.push(collector.start(`cost-${i}`, pid, { tier: 'proc' }));
  await sleep(500);
  const frames = () => handles.reduce((sum, handle) => sum + handle.seq, 0);
  const before = {
    main: mainThreadNs(),
    all: processNs(),
    frames: frames(),
    at: performance.now(),
  };
  await sleep(seconds * 1000);
  const main = mainThreadNs() - before.main;
  const all = processNs() - before.all;
  const taken = frames() - before.frames;
  const wallNs = (performance.now() - before.at) * 1e6;
  await Promise.all(handles.map((handle) => handle.stop()));
  return {
    main,
    all,
    taken,
    wallNs,
    missed: handles.reduce((n, h) => n + h.snapshot().deadlinesMissed, 0),
  };
}

export async function cost(engine, pid, { episodes = 1_000, seconds = 10 } = {}) {
  const idle = await measure(engine, pid, 0, seconds);
  const one = await measure(engine, pid, 1, seconds);
  const many = await measure(engine, pid, episodes, seconds);
  const perFrame = (m) => (m.all - idle.all) / m.taken;
  return {
    episodes,
    hz: 1000 / PERIOD_MS,
    frames: many.taken,
    frames_due: Math.round((many.wallNs / 1e6 / PERIOD_MS) * episodes),
    deadlines_missed: many.missed,
    main_thread_percent: Math.round((many.main / many.wallNs) * 1e4) / 100,
    main_thread_idle_percent: Math.round((idle.main / idle.wallNs) * 1e4) / 100,
    all_threads_percent: Math.round((many.all / many.wallNs) * 1e4) / 100,
    cpu_per_frame_us: us(perFrame(many)),
    cpu_per_frame_of_one_us: us(perFrame(one)),
    per_frame_ratio: ratio(perFrame(many), perFrame(one)),
  };
}
