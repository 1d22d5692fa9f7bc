/** What a frame of a process of many threads costs follows what changed, and nothing that was born is missed. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { TelemetryCollector, TelemetryPolicy } from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { WaitingThreads } from './waiting-threads.js';

const THREADS = 600;
let threads: WaitingThreads | null = null;

afterEach(async () => {
  await threads?.end();
  threads = null;
});

/** Reads of files by this process, so far. */
function reads(): number {
  return Number(/^syscr: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))![1]);
}

describe.each(ENGINES)(`a process of ${THREADS} threads, engine %s`, (engine) => {
  const policy = TelemetryPolicy.builder().samplePeriodMs(1000).build();

  async function start(tier: 'proc' | 'auto' = 'proc') {
    threads = await WaitingThreads.start(THREADS);
    const collector = new TelemetryCollector(policy, { engine });
    const handle = collector.start('threads', threads.pid, { tier, manual: true });
    return { collector, handle, threads };
  }

  it('its lists of children are not read again while nothing is born', async () => {
    const { collector, handle } = await start();
    collector.collect(handle);
    collector.collect(handle);
    const frames = 20;
    const before = reads();
    for (let i = 0; i < frames; i++) collector.collect(handle);
    // Others on this host may give birth, and the lists are read whole now and then: at most once here.
    expect(reads() - before).toBeLessThan((frames * THREADS) / 4);
    expect(handle.latest()!.pids).toBe(THREADS + 1);
    await handle.stop();
  });

  it('a child that any thread forks is found, and its children too', async () => {
    const { collector, handle, threads } = await start();
    collector.collect(handle);
    collector.collect(handle);
    for (let children = 1; children <= 5; children++) {
      await threads.fork();
      let unmarked = 0;
      for (let found = false; !found; ) {
        const frame = collector.collect(handle)!;
        found = frame.pids === THREADS + 1 + children;
        // Where others of this host give birth to more than may be looked at, a frame says what it may lack.
        if (!found && !frame.quality.memory.has('lowerBound')) unmarked++;
      }
      // A birth that was under way at one frame is looked for at the next.
      expect(unmarked).toBeLessThan(2);
    }
    await handle.stop();
  });

  it('the end is seen', async () => {
    const { collector, handle, threads } = await start();
    collector.collect(handle);
    await threads.fork();
    collector.collect(handle);
    await threads.end();
    collector.collect(handle);
    expect(collector.collect(handle)?.pids ?? 0).toBeLessThanOrEqual(1);
    await handle.stop();
  });
});
