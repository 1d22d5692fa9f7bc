/**
 * Measures how late frames are at a period of 5 ms while the main loop is blocked for 20 of every 30 ms. A bare C loop
 * of clock_nanosleep runs at the same time for comparison.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FrameReader, TelemetryCollector, TelemetryPolicy } from 'episcope';
import { percentile, ratio, sleep, us } from '../statistics.mjs';

const PERIOD_MS = 5;
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

function buildYardstick() {
  const binary = path('../../.cache/bench/nanosleep');
  mkdirSync(path('../../.cache/bench'), { recursive: true });
  execFileSync('cc', ['-O2', '-o', binary, path('./nanosleep.c')]);
  return binary;
}

function blockMain(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

async function blockedMain(seconds) {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    blockMain(20);
    await sleep(10);
  }
}

/** Returns the lateness of each frame against its deadline, start + k × period, and the missed deadlines. */
function latenessOf(frames, startMonoNs) {
  const periodNs = BigInt(PERIOD_MS) * 1_000_000n;
  const late = [];
  let missed = 0;
  let last = 0n;
  for (const frame of frames) {
    const since = frame.tsMono - startMonoNs;
    // A frame may be early by the slack, which is 1/64 of the period.
    const deadline = (since + periodNs / 64n) / periodNs;
    if (deadline > last + 1n) missed += Number(deadline - last - 1n);
    last = deadline;
    late.push(Number(since - deadline * periodNs));
  }
  return { late, missed };
}

async function oneRound(binary, engine, seconds) {
  const count = Math.floor((seconds * 1000) / PERIOD_MS);
  const policy = TelemetryPolicy.builder()
    .samplePeriodMs(PERIOD_MS)
    .ringBufferCapacity(65_536)
    .build();
  const handle = new TelemetryCollector(policy, { engine }).start('lateness', process.pid);
  const reader = new FrameReader(handle.share(), { bigint: true });
  const bare = spawn(binary, [String(PERIOD_MS * 1e6), String(count)]);
  const ended = once(bare, 'close');
  let text = '';
  bare.stdout.setEncoding('latin1').on('data', (data) => {
    text += data;
  });
  await blockedMain(seconds);
  await ended;
  await handle.stop();
  const { frames } = reader.read();
  const timed = frames.filter((frame) => !frame.o11yFlags.initial && !frame.o11yFlags.terminal);
  return {
    ...latenessOf(timed, reader.startMonoNs),
    bare: text.trim().split('\n').map(Number),
    missedCounted: handle.snapshot().deadlinesMissed,
  };
}

/**
 * Drift: the p50 lateness of the last tenth of the frames against that of the first tenth. The delays of relative
 * deadlines would add up.
 */
export async function lateness(engine, { rounds = 3, seconds = 8 } = {}) {
  const binary = buildYardstick();
  const late = [];
  const bare = [];
  const drifts = [];
  let missed = 0;
  let missedCounted = 0;
  for (let round = 0; round < rounds; round++) {
    const one = await oneRound(binary, engine, seconds);
    late.push(...one.late);
    bare.push(...one.bare);
    missed += one.missed;
    missedCounted += one.missedCounted;
    const tenth = Math.floor(one.late.length / 10);
    drifts.push(
      percentile(one.late.slice(-tenth), 0.5) - percentile(one.late.slice(0, tenth), 0.5),
    );
  }
  return {
    period_ms: PERIOD_MS,
    frames: late.length,
    late_p50_us: us(percentile(late, 0.5)),
    late_p99_us: us(percentile(late, 0.99)),
    bare_p50_us: us(percentile(bare, 0.5)),
    bare_p99_us: us(percentile(bare, 0.99)),
    p50_ratio: ratio(percentile(late, 0.5), percentile(bare, 0.5)),
    p99_ratio: ratio(percentile(late, 0.99), percentile(bare, 0.99)),
    drift_us: us(percentile(drifts, 0.5)),
    deadlines_missed: missed,
    deadlines_missed_counted: missedCounted,
  };
}
