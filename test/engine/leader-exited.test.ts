/** A process whose first thread has ended is in state Z, and lives. */

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  BudgetTracker,
  createEpisodeScope,
  ProcReader,
  TelemetryCollector,
  TelemetryPolicy,
} from '../../src/index.js';
import { currentOwner, ownerIsDead } from '../../src/scope/owner.js';
import { starttimeOf } from '../../src/scope/process.js';
import { ENGINES } from '../support/engines.js';
import { Leaf } from '../support/leaf.js';
import { statField, until } from './child.js';
import { FixtureProc } from './fixture-proc.js';
import { WaitingThreads } from './waiting-threads.js';

const MIB = 16;
let threads: WaitingThreads | null = null;

afterEach(async () => {
  await threads?.end();
  threads = null;
});

async function startLeaderless(): Promise<WaitingThreads> {
  threads = await WaitingThreads.start(3, MIB, true);
  const { pid } = threads;
  await until(() => statField(pid, 3) === 'Z');
  return threads;
}

describe.each(ENGINES)('the first thread has ended, engine %s', (engine) => {
  it('memory and threads are those of the process', async () => {
    const { pid } = await startLeaderless();
    const reader = new ProcReader(pid, { engine });
    expect(reader.readMemory().rssBytes).toBeGreaterThanOrEqual(MIB * 2 ** 20);
    expect(reader.readCpu().isAvailable).toBe(true);
    expect(reader.readIo().isAvailable).toBe(true);
    reader.close();
  });

  it('a session does not end until the process does', async () => {
    const started = await startLeaderless();
    const policy = TelemetryPolicy.builder().samplePeriodMs(5).build();
    const handle = new TelemetryCollector(policy, { engine }).start('leaderless', started.pid, {
      tier: 'proc',
    });
    const frame = await handle.sampleNow();
    expect(frame.memRssBytes).toBeGreaterThanOrEqual(MIB * 2 ** 20);
    expect(frame.pids).toBe(4);
    const child = await started.fork();
    expect(child).toBeGreaterThan(0);
    const next = await handle.sampleNow();
    expect(next.pids).toBe(5);
    await started.end();
    const { exited } = await new Promise<{ exited: boolean }>((resolve) => {
      handle.once('exit', () => resolve({ exited: true }));
    });
    expect(exited).toBe(true);
    await handle.stop();
  });

  it('the memory is that of whichever thread still tells it', () => {
    const proc = new FixtureProc();
    proc.put({ ...proc.process(10, 1, 1), state: 'Z', threads: 3 });
    proc.delete(10, 'task/1000010');
    const tell = (tid: number, resident: number) => {
      proc.makeThread(10, tid);
      proc.write(
        10,
        `task/${tid}/statm`,
        resident === 0 ? '0 0 0 0 0 0 0\n' : `9 ${resident} 1 1 0 1 0\n`,
      );
    };
    tell(11, 0);
    tell(12, 6);
    const reader = new ProcReader(10, { engine, procRoot: proc.root });
    const first = reader.readMemory().rssBytes!;
    expect(first).toBeGreaterThan(0);
    tell(12, 0);
    tell(13, 11);
    expect(reader.readMemory().rssBytes).toBe(2 * first);
    tell(13, 0);
    expect(reader.readMemory().rssBytes).toBe(0);
    reader.close();
    proc.remove();
  });
});

it('a scope may be made for it, and as an owner it is not dead', async () => {
  const { pid } = await startLeaderless();
  expect(starttimeOf(pid)).toBe(statField(pid, 22));
  const owner = { ...currentOwner(), pid, startTicks: statField(pid, 22) };
  expect(ownerIsDead(owner)).toBe(false);
  await threads?.end();
  expect(ownerIsDead(owner)).toBe(true);
  expect(() => starttimeOf(pid)).toThrow(/gone/);
});

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`no cgroup is tested here: ${noLeaf}`);

// Moved in after its first thread had ended, such a process is on no list of cgroup.procs, and cgroup.kill passes over it.
describe.skipIf(noLeaf !== null)('in a cgroup, a process whose first thread has ended', () => {
  it('is killed with its scope', async () => {
    const { pid } = await startLeaderless();
    const id = `leaderless-${process.pid}`;
    const scope = await createEpisodeScope(
      id,
      pid,
      {},
      { strategy: 'direct', slice: 'leaderless.slice' },
    );
    expect(readFileSync(`${scope.cgroupPath}/cgroup.procs`, 'latin1')).toBe('');
    await scope.remove({ kill: true, timeoutMs: 10_000 });
    expect(threads!.signal).toBe('SIGKILL');
  });

  it.each(ENGINES)('is killed with its episode, engine %s', async (engine) => {
    const { pid } = await startLeaderless();
    const leaf = Leaf.make(`${engine}-leaderless`);
    writeFileSync(leaf.procs, String(pid));
    const policy = TelemetryPolicy.builder().samplePeriodMs(5).build();
    const handle = new TelemetryCollector(policy, { engine }).start('leaderless', pid, {
      cgroupPath: leaf.path,
      budget: new BudgetTracker({ wallMs: 1 }),
      onExhausted: 'kill',
    });
    const warnings: string[] = [];
    handle.on('warning', ({ message }) => warnings.push(message));
    await once(handle, 'stopped');
    await threads!.end();
    expect(threads!.signal).toBe('SIGKILL');
    expect(warnings).toEqual([]);
    expect(handle.snapshot().stopped).toBe(true);
    await leaf.remove();
  });
});
