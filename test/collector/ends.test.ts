import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { BudgetTracker, TelemetryCollector, TelemetryPolicy } from '../../src/index.js';
import { startBurner } from '../support/burner.js';
import { ENGINES } from '../support/engines.js';
import { Leaf } from '../support/leaf.js';

/** So long a period that the end is never noticed by sampling. */
const policy = TelemetryPolicy.builder().samplePeriodMs(3_600_000).build();

const available = Leaf.probe();
if (available !== null) console.log(`the cases with a real cgroup are left out here: ${available}`);

describe.skipIf(available !== null).each(ENGINES)(
  'the end of a cgroup is noticed at once, engine %s',
  (engine) => {
    it.each([5, 200])(
      'an episode of %i ms has its initial and its terminal frame, with the final totals',
      async (ms) => {
        const leaf = Leaf.make(`${engine}-end-${ms}`);
        const burn = startBurner(['--ms', String(ms)], leaf.procs);
        const budget = BudgetTracker.unlimited();
        const handle = new TelemetryCollector(policy, { engine }).start('leaf', burn.pid, {
          cgroupPath: leaf.path,
          budget,
        });
        const exit = once(handle, 'exit');
        burn.begin();
        const [{ frame }] = await exit;
        await burn.rusageNs;
        expect(frame.cpuNs).toBe(leaf.usageNs());
        expect(frame.cpuNs).toBeGreaterThanOrEqual(ms * 1e6);
        expect([...frame.quality.cpu]).toEqual(['final']);
        expect(budget.consumed().cpuMs).toBe(frame.cpuNs! / 1e6);
        const frames = await handle.stop();
        expect(frames.map((f) => [f.o11yFlags.initial, f.o11yFlags.terminal])).toEqual([
          [true, false],
          [false, true],
        ]);
        await leaf.remove();
      },
    );
  },
);

describe.runIf(ENGINES.includes('native'))('the native engine', () => {
  it('notices the end of a process without a cgroup at once, by its pidfd', async () => {
    const child = spawn('sleep', ['1000']);
    const handle = new TelemetryCollector(policy, { engine: 'native' }).start('tree', child.pid!, {
      tier: 'proc',
    });
    child.kill('SIGKILL');
    const [{ frame }] = await once(handle, 'exit');
    expect(frame).toMatchObject({ seq: 1, source: 'proc' });
  });
});
