import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProcSpec, ReadFailure } from '../../src/engine/engine.js';
import { CgroupReader } from '../../src/engine/js/cgroup-reader.js';
import { ProcReader } from '../../src/engine/js/proc-reader.js';
import { Reading } from '../../src/engine/js/reading.js';
import { systemFacts } from '../../src/engine/js/system.js';
import { descriptorBudget } from '../../src/kernel/kept-file.js';
import { PartBit, PartIndex } from '../../src/schema/enumerations.js';
import { FrameWord, QualityBit } from '../../src/schema/layout.js';
import { Leaf } from '../support/leaf.js';
import { Child, statField, until } from './child.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`no leaf is tested here: ${noLeaf}`);

const open: ProcReader[] = [];

afterEach(() => {
  for (const reader of open.splice(0)) reader.close();
});

function tryOpen(spec: Partial<ProcSpec> & { pid: number }): [ProcReader, ReadFailure | null] {
  const reader = new ProcReader();
  open.push(reader);
  return [reader, reader.open({ procRoot: '/proc', tree: true, reaperPid: 0, ...spec })];
}

function openReader(spec: Partial<ProcSpec> & { pid: number }): ProcReader {
  const [reader, failure] = tryOpen(spec);
  expect(failure).toBeNull();
  return reader;
}

/** The word after one read of all parts. */
function readWord(reader: ProcReader, word: number): bigint {
  const reading = new Reading();
  reader.read(PartBit.ALL, reading);
  expect(reading.has(word)).toBe(true);
  return reading.get(word);
}

function cpuTicks(reader: ProcReader): number {
  return Number(readWord(reader, FrameWord.CPU_NS) / systemFacts().nsPerTick);
}

/** utime + stime + cutime + cstime. */
function allTicks(pid: number): number {
  return [14, 15, 16, 17].reduce((sum, field) => sum + Number(statField(pid, field)), 0);
}

describe('one process', () => {
  it('is what its files say', async () => {
    const { child, line } = await Child.shell('echo $$; exec cat');
    const pid = Number(line);
    await until(() => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'cat\n');
    await until(() => statField(pid, 3) === 'S');
    const reader = openReader({ pid, tree: false });
    const reading = new Reading();
    expect(reader.read(PartBit.ALL, reading)).toBe(PartBit.ALL);
    const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(BigInt);
    expect(reading.get(FrameWord.MEM_RSS_BYTES)).toBe(
      (resident! - shared!) * systemFacts().pageBytes,
    );
    expect(reading.get(FrameWord.PAGE_FAULTS_MINOR)).toBe(
      BigInt(statField(pid, 10)) + BigInt(statField(pid, 11)),
    );
    expect(reading.get(FrameWord.PIDS)).toBe(1n);
    const io = readFileSync(`/proc/${pid}/io`, 'utf8');
    expect(io).toContain(`\nread_bytes: ${reading.get(FrameWord.IO_READ_BYTES)}\n`);
    expect(reader.quality(PartIndex.CPU)).toBe(0);
    await child.end();
  });

  it('its cpu is its ticks', async () => {
    const child = await Child.node();
    await child.ask('burn 100');
    const ticks = Number(await child.ask('ticks'));
    const reader = openReader({ pid: child.pid, tree: false });
    const before = allTicks(child.pid);
    const counted = cpuTicks(reader);
    expect(before).toBeGreaterThanOrEqual(Math.max(ticks, 8));
    expect(counted).toBeGreaterThanOrEqual(before);
    expect(counted).toBeLessThanOrEqual(allTicks(child.pid));
    await child.end();
  });

  it('that is not there is ERR_PROC_GONE', async () => {
    const { child, line } = await Child.shell('echo $$; exec cat');
    await child.end();
    expect(tryOpen({ pid: Number(line) })[1]).toEqual({
      code: 'ERR_PROC_GONE',
      errno: 'ENOENT',
      file: 'stat',
      pid: Number(line),
      offset: null,
      reason: null,
    });
  });

  it("a thread's id is ERR_INVALID_PID", () => {
    const thread = readdirSync('/proc/self/task')
      .map(Number)
      .find((tid) => tid !== process.pid)!;
    expect(tryOpen({ pid: thread })[1]).toMatchObject({
      code: 'ERR_INVALID_PID',
      file: 'status',
      pid: thread,
    });
  });

  it('that is killed is gone: every part says so, and its totals stand', async () => {
    const child = await Child.node();
    await child.ask('burn 50');
    const reader = openReader({ pid: child.pid });
    const before = cpuTicks(reader);
    expect(before).toBeGreaterThanOrEqual(3);
    expect(reader.rootAlive()).toBe(true);
    await child.kill();
    expect(reader.rootAlive()).toBe(false);
    const reading = new Reading();
    expect(reader.read(PartBit.ALL, reading)).toBe(0);
    expect(reader.failure(PartIndex.CPU)).toMatchObject({ code: 'ERR_PROC_GONE' });
    expect(Number(reading.get(FrameWord.CPU_NS) / systemFacts().nsPerTick)).toBe(before);
    expect(reader.liveMembers).toBe(0);
  });

  it('a zombie has exited, and its time is still there', async () => {
    // The shell becomes cat, which never waits for the child that the shell had; a shell would.
    const { child, line } = await Child.shell('sleep 1000 & echo $!; exec cat');
    const zombie = Number(line);
    await until(() => readFileSync(`/proc/${child.pid}/comm`, 'latin1') === 'cat\n');
    process.kill(zombie, 'SIGKILL');
    await until(() => statField(zombie, 3) === 'Z');
    const reader = openReader({ pid: zombie });
    expect(reader.rootAlive()).toBe(false);
    const reading = new Reading();
    expect(reader.read(PartBit.ALL, reading)).toBe(PartBit.ALL);
    expect(reading.get(FrameWord.MEM_RSS_BYTES)).toBe(0n);
    expect(reader.liveMembers).toBe(0);
    await child.end();
  });
});

describe.skipIf(noLeaf !== null)('a process that is not in its leaf yet', () => {
  it('is counted with its tree, and by the list once it was moved in', async () => {
    const leaf = Leaf.make('late');
    const cgroup = new CgroupReader();
    const kept = descriptorBudget.kept;
    expect(cgroup.open({ root: leaf.path, path: '', requireCgroupfs: true })).toBeNull();
    expect(descriptorBudget.kept).toBe(kept + 1);
    const child = await Child.node();
    const grandchild = Number(await child.ask('spawn'));
    await child.ask('tell burn 60');
    const reader = openReader({ pid: child.pid });
    reader.setMembers(cgroup);
    const outside = cpuTicks(reader);
    expect(outside).toBeGreaterThanOrEqual(6);
    expect(reader.liveMembers).toBe(2);
    for (const pid of [grandchild, child.pid]) {
      writeFileSync(leaf.procs, String(pid));
      expect(cpuTicks(reader)).toBeGreaterThanOrEqual(outside);
      expect(reader.liveMembers).toBe(2);
    }
    await child.ask('reap');
    await child.end();
    cgroup.close();
    await leaf.remove();
  });
});

describe('a tree', () => {
  it('children that were watched count once when they are reaped', async () => {
    const child = await Child.node();
    const reader = openReader({ pid: child.pid });
    for (let i = 0; i < 3; i++) {
      await child.ask('spawn');
      await child.ask('tell burn 60');
      cpuTicks(reader);
      await child.ask('reap');
      cpuTicks(reader);
    }
    const truth = Number(await child.ask('ticks'));
    expect(truth).toBeGreaterThanOrEqual(18);
    // Each of the seven figures that were summed was rounded down to a tick of its own.
    expect(Math.abs(cpuTicks(reader) - truth)).toBeLessThanOrEqual(8);
    expect(reader.quality(PartIndex.CPU)).toBe(QualityBit.LOWER_BOUND);
    await child.end();
  });

  it('children that nobody watched count when they are reaped', async () => {
    const child = await Child.node();
    const reader = openReader({ pid: child.pid });
    cpuTicks(reader);
    await child.ask('spawn');
    await child.ask('tell burn 100');
    await child.ask('reap');
    const truth = Number(await child.ask('ticks'));
    expect(truth).toBeGreaterThanOrEqual(10);
    expect(Math.abs(cpuTicks(reader) - truth)).toBeLessThanOrEqual(2);
    await child.end();
  });

  it('grandchildren that end with their parent between two samples count once', async () => {
    const child = await Child.node();
    const reader = openReader({ pid: child.pid });
    await child.ask('spawn');
    await child.ask('tell spawn');
    await child.ask('tell burn 60');
    await child.ask('tell tell burn 90');
    expect(cpuTicks(reader)).toBeGreaterThanOrEqual(14);
    await child.ask('tell reap');
    await child.ask('reap');
    const truth = Number(await child.ask('ticks'));
    expect(Math.abs(cpuTicks(reader) - truth)).toBeLessThanOrEqual(8);
    await child.end();
  });

  it('a child whose parent ended stays a member', async () => {
    const child = await Child.node();
    const reader = openReader({ pid: child.pid });
    const orphan = Number(await child.ask('spawn'));
    expect(Number(readWord(reader, FrameWord.PIDS))).toBeGreaterThan(1);
    expect(reader.liveMembers).toBe(2);
    // Its stdin ends with its parent: it is stopped first, so that it outlives it.
    process.kill(orphan, 'SIGSTOP');
    await child.kill();
    const reading = new Reading();
    expect(reader.read(PartBit.ALL, reading)).toBe(PartBit.ALL);
    expect(reader.liveMembers).toBe(1);
    expect(reader.rootAlive()).toBe(false);
    process.kill(orphan, 'SIGKILL');
  });

  it('with a reaper what it reaped is exact, and what it reaped before does not count', async () => {
    const earlier = await Child.node();
    await earlier.ask('burn 400');
    await earlier.end();
    const child = await Child.node();
    const reader = openReader({ pid: child.pid, reaperPid: process.pid });
    await child.ask('burn 60');
    const truth = Number(await child.ask('ticks'));
    cpuTicks(reader);
    expect(reader.liveMembers).toBeGreaterThanOrEqual(1);
    expect(reader.totalsExact).toBe(false);
    await child.end();
    const reading = new Reading();
    expect(reader.read(PartBit.ALL, reading)).toBe(PartBit.CPU | PartBit.IO);
    expect(reader.totalsExact).toBe(true);
    expect(reader.quality(PartIndex.CPU)).toBe(0);
    const counted = Number(reading.get(FrameWord.CPU_NS) / systemFacts().nsPerTick);
    expect(counted).toBeGreaterThanOrEqual(truth);
    expect(counted).toBeLessThan(truth + 40);
  });

  it('close gives back every descriptor', async () => {
    const child = await Child.node();
    await child.ask('spawn');
    const before = readdirSync('/proc/self/fd').length;
    const reader = openReader({ pid: child.pid });
    readWord(reader, FrameWord.PIDS);
    expect(readdirSync('/proc/self/fd').length).toBeGreaterThan(before);
    reader.close();
    expect(readdirSync('/proc/self/fd').length).toBe(before);
    expect(reader.read(PartBit.ALL, new Reading())).toBe(0);
    await child.end();
  });
});
