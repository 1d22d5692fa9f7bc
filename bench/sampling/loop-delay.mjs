/** Measures the event loop's delay with and without sampling, in turns, with the same light work on the loop. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { TelemetryCollector, TelemetryPolicy } from 'episcope';
import { median, ratio, sleep, us } from '../statistics.mjs';

async function delayFor(seconds) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  await sleep(seconds * 1000);
  delays.disable();
  return delays.percentile(99.9);
}

export async function loopDelay(engine, pid, { rounds = 7, seconds = 4, episodes = 100 } = {}) {
  const policy = TelemetryPolicy.builder().samplePeriodMs(10).ringBufferCapacity(64).build();
  const collector = new TelemetryCollector(policy, { engine });
  const without = [];
  const sampling = [];
  for (let round = 0; round < rounds; round++) {
    without.push(await delayFor(seconds));
    const handles = [];
    for (let i = 0; i < episodes; i++) {
      handles.push(collector.start(`delay-${i}`, pid, { tier: 'proc' }));
    }
    await sleep(200);
    sampling.push(await delayFor(seconds));
    await Promise.all(handles.map((handle) => handle.stop()));
  }
  return {
    episodes,
    hz: 100,
    p999_without_us: us(median(without)),
    p999_sampling_us: us(median(sampling)),
    ratio: ratio(median(sampling), median(without)),
  };
}
