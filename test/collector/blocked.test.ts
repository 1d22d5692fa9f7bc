// What the sampler does about a runaway while this thread's event loop is blocked, on this host: in a bare leaf
// where it lets us make one, and in the process tree. (The full cgroup: test/vm/guest/budget.test.mjs.)
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { BudgetTracker, TelemetryCollector, TelemetryPolicy } from '../../src/index.js';
import { startBurner } from '../support/burner.js';
import { ENGINES } from '../support/engines.js';
import { Leaf } from '../support/leaf.js';

const LIMIT_MS = 500;
const PERIOD_MS = 20;
/** CONFIG_HZ is 100 at least. */
const TICK_MS = 10;

/** Blocks the event loop, for 20 s at most: how long a burner takes to burn depends on who else wants the cpus. */
function blockUntil(condition: () => boolean): void {
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; tries < 400 && !condition(); tries++) Atomics.wait(nobody, 0, 0, 50);
}

/** Dead, or gone already. */
function isDead(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return true;
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text[text.lastIndexOf(')') + 2] === 'Z';
}

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`no cgroup can be made here (${noLeaf}): the leaf is left out`);
const TIERS = noLeaf === null ? (['leaf', 'tree'] as const) : (['tree'] as const);

describe.each(ENGINES.flatMap((engine) => TIERS.map((tier) => [engine, tier] as const)))(
  'while the event loop is blocked, engine %s, %s',
  (engine, tier) => {
    const policy = TelemetryPolicy.builder().samplePeriodMs(PERIOD_MS).build();

    it.each([
      ['one process', ['--ms', '60000'], 1],
      ['children in parallel', ['--children', '4', '--each-ms', '60000', '--parallel', '4'], 4],
    ])('a burner beyond its budget is dead: %s', async (_, args, processes) => {
      const leaf = tier === 'leaf' ? Leaf.make(`blocked-${engine}-${processes}`) : null;
      const burner = startBurner(args, leaf?.procs);
      // Killed, it has nothing to say of itself.
      burner.rusageNs.catch(() => {});
      try {
        const handle = new TelemetryCollector(policy, { engine }).start('burner', burner.pid, {
          budget: new BudgetTracker({ cpuMs: LIMIT_MS }),
          onExhausted: 'kill',
          ...(leaf === null ? { tier: 'proc' } : { cgroupPath: leaf.path }),
        });
        burner.begin();
        await new Promise(setImmediate);
        blockUntil(() => isDead(burner.pid) && handle.latest()!.o11yFlags.terminal);
        expect(isDead(burner.pid)).toBe(true);
        const last = handle.latest()!;
        expect(last.o11yFlags.terminal).toBe(true);
        const cpus = Math.min(processes, availableParallelism());
        // A period that passed without a sample, because this host had no cpu left for one, is no promise broken.
        const late = handle.snapshot().deadlinesMissed * PERIOD_MS;
        expect(last.cpuMs!).toBeGreaterThanOrEqual(LIMIT_MS);
        expect(last.cpuMs!).toBeLessThanOrEqual(LIMIT_MS + (2 * PERIOD_MS + TICK_MS + late) * cpus);
        if (leaf !== null) expect(last.cpuNs).toBe(leaf.usageNs());
        await handle.stop();
      } finally {
        await leaf?.remove();
      }
    });
  },
);
