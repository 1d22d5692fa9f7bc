// Measures the time that one frame takes, on both engines in one run, as JSON: `npm run bench`.
// Each session samples its own sleeping process, so that the workload does not disturb the figures.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { TelemetryCollector, TelemetryPolicy } from 'episcope';
import { findCgroup2Mount } from '../dist/host/index.js';
import { percentile } from './statistics.mjs';

const WARM_UP = 2_000;
const ROUNDS = 5;
const FRAMES = 2_000;

const policy = TelemetryPolicy.builder().ringBufferCapacity(4).build();

function makeLeaf() {
  const path = `${findCgroup2Mount()}/episcope-bench-${process.pid}`;
  try {
    mkdirSync(path);
    return path;
  } catch {
    return null;
  }
}

async function measure(engine, options, pid) {
  const collector = new TelemetryCollector(policy, { engine });
  const handle = collector.start(`bench-${engine}`, pid, { ...options, manual: true });
  for (let i = 0; i < WARM_UP; i++) collector.collect(handle);
  const collectNs = [];
  for (let i = 0; i < FRAMES; i++) collectNs.push(collector.collect(handle).collectNs);
  const { sources } = handle.latest();
  await handle.stop();
  return { sources, p50Ns: percentile(collectNs, 0.5), p99Ns: percentile(collectNs, 0.99) };
}

const leaf = makeLeaf();
const sleeper = spawn('sleep', ['1000'], { stdio: 'ignore' });
if (leaf !== null) writeFileSync(`${leaf}/cgroup.procs`, String(sleeper.pid));

const TIERS = {
  ...(leaf === null ? {} : { cgroupCpuOnly: { cgroupPath: leaf, tier: 'cgroup' } }),
  ...(leaf === null ? {} : { leaf: { cgroupPath: leaf, tier: 'leaf' } }),
  proc: { tier: 'proc' },
};

const results = {};
for (const [tier, options] of Object.entries(TIERS)) {
  results[tier] = {};
  // The engines take turns, so that noise of the machine affects both alike.
  for (let round = 0; round < ROUNDS; round++) {
    for (const engine of ['native', 'js']) {
      const run = await measure(engine, options, sleeper.pid);
      const best = results[tier][engine];
      if (best === undefined || run.p50Ns < best.p50Ns) results[tier][engine] = run;
    }
  }
}

sleeper.kill('SIGKILL');
await new Promise((resolve) => sleeper.once('exit', resolve));
if (leaf !== null) {
  while (!readFileSync(`${leaf}/cgroup.events`, 'utf8').includes('populated 0')) await delay(1);
  rmdirSync(leaf);
}
console.log(
  JSON.stringify(
    {
      cpu: cpus()[0]?.model.trim(),
      kernel: release(),
      node: process.version,
      framesPerRound: FRAMES,
      bestOfRounds: ROUNDS,
      collectNs: results,
    },
    null,
    2,
  ),
);
