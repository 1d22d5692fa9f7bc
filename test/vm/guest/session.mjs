/** Sessions of the package under test, and what holds for every one of them. */
import assert from 'node:assert/strict';
import { TelemetryCollector, TelemetryPolicy } from 'episcope';
import { keyed } from './cgroup.mjs';

let started = 0;

/** A collector whose rings hold the whole session of a test. */
export function makeCollector(engine, { periodMs = 20, capacity = 1024 } = {}) {
  const policy = TelemetryPolicy.builder()
    .samplePeriodMs(periodMs)
    .ringBufferCapacity(capacity)
    .build();
  return new TelemetryCollector(policy, { engine });
}

/** Starts a session on a workload; stopped with the test. */
export function startSession(t, engine, pid, { periodMs, ...options }) {
  const collector = makeCollector(engine, { periodMs });
  const handle = collector.start(`vm-${process.pid}-${started++}`, pid, options);
  t.after(() => handle.stop());
  return { collector, handle, collect: () => collector.collect(handle) };
}

const COUNTERS = [
  'cpuNs',
  'cpuUserNs',
  'cpuSystemNs',
  'ioReadBytes',
  'ioWriteBytes',
  'pageFaultsMajor',
  'pageFaultsMinor',
];

/** No counter of later frames is lower than the last one seen; one that is absent says nothing. */
export function assertNeverBackwards(frames) {
  for (const counter of COUNTERS) {
    let last = 0;
    for (const frame of frames) {
      const value = frame[counter];
      if (value === null) continue;
      assert.ok(value >= last, `${counter} went from ${last} to ${value} at frame ${frame.seq}`);
      last = value;
    }
  }
}

/** All frames of an ended session: numbered from 0, one initial first, one terminal last. */
export function assertWholeSession(frames) {
  assert.deepEqual(
    frames.map((frame) => frame.seq),
    frames.map((_, index) => index),
  );
  const marked = (flag) =>
    frames.filter((frame) => frame.o11yFlags[flag]).map((frame) => frame.seq);
  assert.deepEqual(marked('initial'), [0]);
  assert.deepEqual(marked('terminal'), [frames.length - 1]);
  for (const [index, frame] of frames.entries()) {
    assert.ok(index === 0 || frame.tsMono >= frames[index - 1].tsMono);
    if (frame.cpuNs !== null) assert.ok(frame.cpuNs >= frame.cpuUserNs + frame.cpuSystemNs);
  }
  assertNeverBackwards(frames);
}

/** The terminal frame has the total that the cgroup's cpu.stat has now, to 1 ms, and calls it final. */
export function assertFinalCpu(frame, cgroup) {
  const kernelNs = keyed(cgroup, 'cpu.stat').usage_usec * 1000;
  assert.ok(frame.o11yFlags.terminal);
  assert.equal(frame.sources.cpu, 'cgroup');
  assert.ok(frame.quality.cpu.has('final'));
  assert.ok(
    Math.abs(frame.cpuNs - kernelNs) <= 1e6,
    `${frame.episodeId}: the terminal frame says ${frame.cpuNs} ns, cpu.stat ${kernelNs} ns`,
  );
}
