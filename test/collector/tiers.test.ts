import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { TelemetryCollector, TelemetryPolicy } from '../../src/index.js';
import { startBurner } from '../support/burner.js';
import { ENGINES } from '../support/engines.js';
import { Leaf } from '../support/leaf.js';

const policy = TelemetryPolicy.builder().samplePeriodMs(20).build();

const SHAPES: [string, string[]][] = [
  ['one process', ['--ms', '400']],
  ['200 short-lived children in sequence', ['--children', '200', '--each-ms', '2']],
  ['children in parallel', ['--children', '60', '--each-ms', '8', '--parallel', '6']],
];

/** The tolerances of the promise: 3 % + 20 ms from a cgroup, 5 % + 20 ms from /proc. */
const expectCpu = (
  measuredNs: number | null,
  truthNs: number,
  percent: number,
  missingNs = 0,
): void => {
  const tolerance = (truthNs * percent) / 100 + 20e6;
  expect(measuredNs).toBeGreaterThan(truthNs - tolerance - missingNs);
  expect(measuredNs).toBeLessThan(truthNs + tolerance);
};

describe.each(ENGINES)('the process tree, engine %s', (engine) => {
  it.each(SHAPES)('cpu of %s is what their own rusage says', async (_, args) => {
    const burn = startBurner(args);
    const handle = new TelemetryCollector(policy, { engine }).start('tree', burn.pid, {
      tier: 'proc',
    });
    const stopped = once(handle, 'stopped');
    burn.begin();
    const truthNs = await burn.rusageNs;
    const [{ frame }] = await stopped;
    expect(frame.sources.cpu).toBe('proc');
    // Nobody reaps for us here: what ran since the last sample, on every cpu, may be missing, and the frame says so.
    // Where the sampler saw the end before anybody had reaped the root, nothing is.
    const period = policy.samplePeriodMs * 1e6 * availableParallelism();
    expectCpu(frame.cpuNs, truthNs, 5, frame.quality.cpu.has('lowerBound') ? period : 0);
  });
});

const available = Leaf.probe();
if (available !== null) console.log(`the cases with a real cgroup are left out here: ${available}`);

describe.skipIf(available !== null).each(ENGINES)(
  'a real cgroup of this host, engine %s',
  (engine) => {
    it.each([
      ...SHAPES,
      ['daemonized grandchildren', ['--children', '50', '--each-ms', '8', '--daemonize']],
    ] as [string, string[]][])('cpu of %s is what their own rusage says', async (_, args) => {
      const leaf = Leaf.make(`${engine}-burn`);
      const burn = startBurner(args, leaf.procs);
      const handle = new TelemetryCollector(policy, { engine }).start('leaf', burn.pid, {
        cgroupPath: leaf.path,
      });
      const stopped = once(handle, 'stopped');
      burn.begin();
      const truthNs = await burn.rusageNs;
      const [{ frame, reason }] = await stopped;
      expect(reason).toBe('exit');
      expect(frame.sources.cpu).toBe('cgroup');
      expect([...frame.quality.cpu]).toEqual(['final']);
      expectCpu(frame.cpuNs, truthNs, 3);
      // After the end the kernel's own total does not move: the terminal frame has it to the µs.
      expect(frame.cpuNs).toBe(leaf.usageNs());
      await leaf.remove();
    });

    it('a cgroup that is removed: the session goes on from /proc, without a step back', async () => {
      const leaf = Leaf.make(`${engine}-removed`);
      // The process is not inside, so that the cgroup can be removed while it lives.
      const child = spawn('sleep', ['1000']);
      const collector = new TelemetryCollector(policy, { engine });
      const handle = collector.start('removed', child.pid!, {
        cgroupPath: leaf.path,
        manual: true,
      });
      const sources: string[] = [];
      handle.on('source', (event) => sources.push(event.sources.cpu));
      const first = collector.collect(handle);
      expect(first.sources.cpu).toBe('cgroup');
      rmdirSync(leaf.path);
      const second = collector.collect(handle);
      expect(second.sources.cpu).toBe('proc');
      expect([...second.quality.cpu]).toContain('rebased');
      expect(second.cpuNs).toBeGreaterThanOrEqual(first.cpuNs!);
      expect(sources).toEqual(['proc']);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const terminal = (await handle.stop()).at(-1)!;
      expect(terminal.o11yFlags.terminal).toBe(true);
      expect(terminal.cpuNs).toBeGreaterThanOrEqual(second.cpuNs!);
      expect(terminal.quality.cpu.has('final')).toBe(false);
    });
  },
);
