import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProcSpec } from '../../src/engine/engine.js';
import { CgroupReader } from '../../src/engine/js/cgroup-reader.js';
import { ProcReader } from '../../src/engine/js/proc-reader.js';
import { Reading } from '../../src/engine/js/reading.js';
import { systemFacts } from '../../src/engine/js/system.js';
import { descriptorBudget } from '../../src/kernel/kept-file.js';
import { PartBit, PartIndex } from '../../src/schema/enumerations.js';
import { FrameWord, QualityBit } from '../../src/schema/layout.js';
import { FixtureProc, type FixtureProcess } from './fixture-proc.js';

const TICK = systemFacts().nsPerTick;
const PAGE = systemFacts().pageBytes;

let proc: FixtureProc;
let reader: ProcReader;
const reading = new Reading();

beforeEach(() => {
  proc = new FixtureProc();
  reader = new ProcReader();
  reading.clear();
});

afterEach(() => {
  reader.close();
  proc.remove();
});

function open(spec: Partial<ProcSpec> = {}) {
  return reader.open({ pid: 10, procRoot: proc.root, tree: true, reaperPid: 0, ...spec });
}

function read(parts: number = PartBit.ALL): number {
  return reader.read(parts, reading);
}

function value(word: number): bigint | null {
  return reading.has(word) ? reading.get(word) : null;
}

/** The process, changed and written. */
function put(process: FixtureProcess, change: Partial<FixtureProcess> = {}): FixtureProcess {
  Object.assign(process, change);
  proc.put(process);
  return process;
}

function tree(): { root: FixtureProcess; child: FixtureProcess } {
  const root = put(proc.process(10, 1, 100), { utime: 5, stime: 2, children: [11] });
  const child = put(proc.process(11, 10, 101), { utime: 3 });
  return { root, child };
}

describe('open', () => {
  it.each<[string, (at: FixtureProc) => void, object]>([
    ['no process', () => undefined, { code: 'ERR_PROC_GONE', errno: 'ENOENT' }],
    [
      'no stat',
      (at) => mkdirSync(at.path(10, ''), { recursive: true }),
      { code: 'ERR_PROC_GONE', errno: 'ENOENT' },
    ],
    [
      'a process in its last moment',
      (at) => at.put({ ...at.process(10, 1, 1), state: 'X' }),
      { code: 'ERR_PROC_GONE', errno: 'ESRCH' },
    ],
    [
      'a stat that is none',
      (at) => {
        at.put(at.process(10, 1, 1));
        at.write(10, 'stat', '10 (x) S 1 z');
      },
      { code: 'ERR_PROC_PARSE', reason: 'missing field', offset: 12, errno: null },
    ],
    [
      "a thread's id",
      (at) => {
        at.put(at.process(10, 1, 1));
        at.write(10, 'status', 'Name:\tx\nTgid:\t9\nPid:\t10\n');
      },
      { code: 'ERR_INVALID_PID', file: 'status' },
    ],
  ])('%s is refused', (_, arrange, expected) => {
    arrange(proc);
    expect(open()).toMatchObject({ file: 'stat', pid: 10, ...expected });
    expect(read()).toBe(0);
  });

  it('a file in the place of the directory', () => {
    writeFileSync(proc.path(10, ''), '');
    expect(open()).toMatchObject({ code: 'ERR_PROC_READ', errno: 'ENOTDIR', file: 'stat' });
  });

  it('without status there is nothing to check', () => {
    put(proc.process(10, 1, 100));
    proc.delete(10, 'status');
    expect(open()).toBeNull();
  });
});

describe('the parts of a tree', () => {
  it('are sums over root and descendants', () => {
    const { root, child } = tree();
    put(root, { minflt: 4, majflt: 1, resident: 20, shared: 5, threads: 2, readBytes: 512 });
    put(child, { minflt: 2, cminflt: 3, resident: 7, shared: 9, threads: 3, writeBytes: 64 });
    expect(open()).toBeNull();
    expect(read()).toBe(PartBit.ALL);
    expect(value(FrameWord.CPU_NS)).toBe(10n * TICK);
    expect(value(FrameWord.CPU_USER_NS)).toBe(8n * TICK);
    expect(value(FrameWord.CPU_SYSTEM_NS)).toBe(2n * TICK);
    expect(value(FrameWord.MEM_RSS_BYTES)).toBe(15n * PAGE);
    expect(value(FrameWord.MEM_PEAK_BYTES)).toBe(15n * PAGE);
    expect(value(FrameWord.MEM_CURRENT_BYTES)).toBeNull();
    expect(value(FrameWord.PAGE_FAULTS_MAJOR)).toBe(1n);
    expect(value(FrameWord.PAGE_FAULTS_MINOR)).toBe(9n);
    expect(value(FrameWord.IO_READ_BYTES)).toBe(512n);
    expect(value(FrameWord.IO_WRITE_BYTES)).toBe(64n);
    expect(value(FrameWord.IO_READ_OPS)).toBeNull();
    expect(value(FrameWord.PIDS)).toBe(5n);
    expect(reader.liveMembers).toBe(2);
    expect(reader.quality(PartIndex.CPU)).toBe(QualityBit.LOWER_BOUND);
    expect(reader.quality(PartIndex.MEMORY)).toBe(0);
    expect(reader.quality(PartIndex.IO)).toBe(0);
  });

  it('tree: false is the process alone, and its cpu is exact', () => {
    tree();
    expect(open({ tree: false })).toBeNull();
    read();
    expect(value(FrameWord.CPU_NS)).toBe(7n * TICK);
    expect(reader.quality(PartIndex.CPU)).toBe(0);
  });

  it("only the asked parts' words are touched, and of EXTRA only the pids", () => {
    tree();
    open();
    reading.set(FrameWord.OOM_KILLS, 3n);
    reading.set(FrameWord.CPU_NS, 4n);
    expect(read(PartBit.EXTRA)).toBe(PartBit.EXTRA);
    expect(value(FrameWord.OOM_KILLS)).toBe(3n);
    expect(value(FrameWord.CPU_NS)).toBe(4n);
    expect(value(FrameWord.PIDS)).toBe(2n);
  });

  it('the peak is the highest sum seen', () => {
    const { root } = tree();
    put(root, { resident: 9 });
    open();
    read(PartBit.MEMORY);
    put(root, { resident: 2 });
    read(PartBit.MEMORY);
    expect(value(FrameWord.MEM_RSS_BYTES)).toBe(2n * PAGE);
    expect(value(FrameWord.MEM_PEAK_BYTES)).toBe(9n * PAGE);
  });

  it('children of every thread belong to it', () => {
    const { root } = tree();
    mkdirSync(proc.path(10, 'task/99'));
    proc.write(10, 'task/99/children', '12 ');
    put(proc.process(12, 10, 103), { utime: 40 });
    put(root);
    open();
    read(PartBit.CPU);
    expect(value(FrameWord.CPU_NS)).toBe(50n * TICK);
  });

  it('a kernel without children files shows the process alone', () => {
    tree();
    proc.delete(10, 'task');
    open();
    expect(read()).toBe(PartBit.ALL);
    expect(reader.liveMembers).toBe(1);
  });
});

describe('processes that end', () => {
  it('a child that was watched and then reaped counts once', () => {
    const { root, child } = tree();
    open();
    read();
    put(root, { cutime: 4, children: [] });
    put(child, { state: 'X', utime: 4 });
    read();
    expect(value(FrameWord.CPU_NS)).toBe(11n * TICK);
    read();
    expect(value(FrameWord.CPU_NS)).toBe(11n * TICK);
    expect(reader.liveMembers).toBe(1);
    expect(reader.quality(PartIndex.IO)).toBe(QualityBit.LOWER_BOUND);
  });

  it("a process first seen in state X is no row: its time is its parent's", () => {
    const { root, child } = tree();
    put(child, { state: 'X' });
    put(root, { cutime: 3 });
    open();
    read();
    expect(value(FrameWord.CPU_NS)).toBe(10n * TICK);
    expect(reader.liveMembers).toBe(1);
  });

  it('a zombie counts and does not live', () => {
    const { child } = tree();
    put(child, { state: 'Z', resident: 0 });
    open();
    read();
    expect(value(FrameWord.CPU_NS)).toBe(10n * TICK);
    expect(value(FrameWord.PIDS)).toBe(1n);
    expect(reader.liveMembers).toBe(1);
  });

  it('a leader that ended before its threads lives', () => {
    const { root } = tree();
    put(root, { state: 'Z', threads: 3 });
    open();
    read();
    expect(reader.rootAlive()).toBe(true);
    expect(value(FrameWord.PIDS)).toBe(4n);
  });

  it('a reparented process stays a member, with its children', () => {
    const { root, child } = tree();
    open();
    read();
    put(proc.process(12, 11, 105), { utime: 20 });
    put(root, { children: [] });
    put(child, { ppid: 1, children: [12] });
    read();
    expect(value(FrameWord.CPU_NS)).toBe(30n * TICK);
    expect(reader.liveMembers).toBe(3);
  });

  it('a pid number that is used again is another process', () => {
    const { root, child } = tree();
    open();
    read();
    put(root, { cutime: 3 });
    put(child, { starttime: 200, utime: 1 });
    read();
    expect(value(FrameWord.CPU_NS)).toBe(11n * TICK);
  });

  it('a recorded tree is read as it is now', () => {
    const kept = descriptorBudget.kept;
    const { root } = tree();
    open();
    expect(read()).toBe(PartBit.ALL);
    expect(descriptorBudget.kept).toBe(kept);
    proc.delete(10, 'io');
    expect(read()).toBe(PartBit.ALL & ~PartBit.IO);
    expect(reader.failure(PartIndex.IO)).toMatchObject({ code: 'ERR_PROC_READ', errno: 'ENOENT' });
    put(root, { readBytes: 100 });
    expect(read()).toBe(PartBit.ALL);
    expect(value(FrameWord.IO_READ_BYTES)).toBe(100n);
    // A newer recording of the same process in the place of the old.
    proc.delete(10);
    put(root, { utime: 6 });
    expect(read()).toBe(PartBit.ALL);
    expect(value(FrameWord.CPU_NS)).toBe(11n * TICK);
    proc.delete(11);
    read();
    expect(reader.liveMembers).toBe(1);
    expect(reader.rootAlive()).toBe(true);
    proc.delete(10);
    expect(reader.rootAlive()).toBe(false);
    expect(read()).toBe(0);
    expect(reader.failure(PartIndex.CPU)).toMatchObject({ code: 'ERR_PROC_GONE', pid: 10 });
  });

  it('all gone: every part is ERR_PROC_GONE, the last totals stand', () => {
    const { root, child } = tree();
    open();
    read();
    expect(reader.rootAlive()).toBe(true);
    put(root, { state: 'X' });
    put(child, { state: 'X' });
    expect(reader.rootAlive()).toBe(false);
    expect(read()).toBe(0);
    for (const part of [0, 1, 2, 3] as const) {
      expect(reader.failure(part)).toMatchObject({ code: 'ERR_PROC_GONE', pid: 10 });
    }
    expect(value(FrameWord.CPU_NS)).toBe(10n * TICK);
    expect(value(FrameWord.IO_READ_BYTES)).toBe(0n);
    expect(value(FrameWord.MEM_RSS_BYTES)).toBeNull();
    expect(value(FrameWord.PIDS)).toBeNull();
  });

  it('the root gone and a descendant left: the parts stay, cpu as a lower bound', () => {
    const { root } = tree();
    open();
    read();
    put(root, { state: 'X' });
    expect(read()).toBe(PartBit.ALL);
    expect(reader.liveMembers).toBe(1);
    expect(reader.quality(PartIndex.CPU)).toBe(QualityBit.LOWER_BOUND);
  });
});

describe('files that cannot be read', () => {
  it("the root's make the part unavailable", () => {
    tree();
    open();
    proc.write(10, 'statm', '1 2 x\n');
    proc.delete(10, 'io');
    mkdirSync(proc.path(10, 'io'));
    expect(read()).toBe(PartBit.CPU | PartBit.EXTRA);
    expect(reader.failure(PartIndex.MEMORY)).toEqual({
      code: 'ERR_PROC_PARSE',
      errno: null,
      file: 'statm',
      pid: 10,
      offset: 4,
      reason: 'malformed number',
    });
    expect(reader.failure(PartIndex.IO)).toMatchObject({ code: 'ERR_PROC_READ', errno: 'EISDIR' });
    proc.write(10, 'stat', '10 (x) S 1');
    expect(read()).toBe(0);
    expect(reader.failure(PartIndex.CPU)).toMatchObject({ code: 'ERR_PROC_PARSE', file: 'stat' });
    expect(reader.rootAlive()).toBe(true);
  });

  it("a member's leave its part a lower bound, and the member what it had", () => {
    const { child } = tree();
    open();
    read();
    proc.write(11, 'io', 'read_bytes: x\n');
    expect(read()).toBe(PartBit.ALL);
    expect(reader.quality(PartIndex.IO)).toBe(QualityBit.LOWER_BOUND);
    expect(reader.quality(PartIndex.MEMORY)).toBe(0);
    proc.write(11, 'stat', '');
    expect(read()).toBe(PartBit.ALL);
    expect(reader.quality(PartIndex.MEMORY)).toBe(QualityBit.LOWER_BOUND);
    expect(value(FrameWord.CPU_NS)).toBe(10n * TICK);
    put(child, { utime: 4 });
    read();
    expect(reader.quality(PartIndex.IO)).toBe(0);
    expect(value(FrameWord.CPU_NS)).toBe(11n * TICK);
  });

  it('a list of children that is no list makes every part a lower bound', () => {
    tree();
    proc.write(10, `task/10/children`, '11 x');
    open();
    read();
    expect(reader.liveMembers).toBe(2);
    expect(reader.quality(PartIndex.MEMORY)).toBe(QualityBit.LOWER_BOUND);
  });
});

describe('members that a cgroup lists', () => {
  let leafRoot: string;
  let leaf: CgroupReader;

  beforeEach(() => {
    leafRoot = mkdtempSync(join(tmpdir(), 'episcope-leaf-'));
    leaf = new CgroupReader();
    expect(leaf.open({ root: leafRoot, path: '', requireCgroupfs: false })).toBeNull();
  });

  afterEach(() => {
    leaf.close();
    rmSync(leafRoot, { recursive: true });
  });

  const list = (text: string) => writeFileSync(join(leafRoot, 'cgroup.procs'), text);

  it('are the members, related or not', () => {
    tree();
    put(proc.process(20, 1, 90), { utime: 100, children: [21] });
    put(proc.process(21, 20, 91), { utime: 1000 });
    open();
    reader.setMembers(leaf);
    list('20\n10\n');
    read();
    expect(value(FrameWord.CPU_NS)).toBe(107n * TICK);
    expect(reader.liveMembers).toBe(2);
    expect(reader.quality(PartIndex.MEMORY)).toBe(0);
  });

  it('no list at all: the pinned process and its tree, as a lower bound', () => {
    const { root } = tree();
    put(root, { resident: 3 });
    open();
    reader.setMembers(leaf);
    expect(read()).toBe(PartBit.ALL);
    expect(value(FrameWord.CPU_NS)).toBe(10n * TICK);
    expect(value(FrameWord.MEM_RSS_BYTES)).toBe(3n * PAGE);
    expect(reader.liveMembers).toBe(2);
    for (const part of [PartIndex.CPU, PartIndex.MEMORY, PartIndex.IO]) {
      expect(reader.quality(part)).toBe(QualityBit.LOWER_BOUND);
    }
  });

  it('a list that lacks the living pinned process: its tree as well, until it is listed', () => {
    const { root, child } = tree();
    put(proc.process(20, 1, 90), { utime: 100 });
    put(child, { children: [12] });
    const grandchild = put(proc.process(12, 11, 102), { utime: 1 });
    open();
    reader.setMembers(leaf);
    list('20\n12\n');
    expect(read()).toBe(PartBit.ALL);
    expect(value(FrameWord.CPU_NS)).toBe(111n * TICK);
    expect(reader.liveMembers).toBe(4);
    expect(reader.quality(PartIndex.MEMORY)).toBe(0);

    // Their parent ended: still of the tree, and so is a new child.
    proc.delete(11);
    put(root, { cutime: 3, children: [] });
    put(grandchild, { ppid: 1, utime: 2, children: [13] });
    put(proc.process(13, 12, 103), { utime: 4 });
    list('20\n');
    read();
    expect(value(FrameWord.CPU_NS)).toBe(116n * TICK);
    expect(reader.liveMembers).toBe(4);

    // It was moved in: from now on the list tells alone.
    list('10\n12\n');
    put(proc.process(13, 12, 103), { utime: 40 });
    read();
    expect(value(FrameWord.CPU_NS)).toBe(116n * TICK);
    expect(reader.liveMembers).toBe(2);
  });

  it('one whose stat cannot be read is not thrown out', () => {
    const { child } = tree();
    open();
    reader.setMembers(leaf);
    list('10\n11\n');
    read();
    proc.write(11, 'stat', '');
    list('10\n');
    read();
    expect(reader.liveMembers).toBe(2);
    put(child, { utime: 4 });
    list('10\n11\n');
    read();
    expect(value(FrameWord.CPU_NS)).toBe(11n * TICK);
  });

  it('one that left alive keeps what it had and counts no further', () => {
    const { child } = tree();
    open();
    reader.setMembers(leaf);
    list('10\n11\n');
    read();
    put(child, { utime: 50 });
    list('10\n');
    read();
    expect(value(FrameWord.CPU_NS)).toBe(10n * TICK);
    expect(reader.liveMembers).toBe(1);
  });

  it('one that ended is credited to its parent; so is a zombie, which is not listed any more', () => {
    const { root, child } = tree();
    open();
    reader.setMembers(leaf);
    list('10\n11\n');
    read();
    put(child, { state: 'Z', utime: 4 });
    list('10\n');
    read();
    expect(value(FrameWord.CPU_NS)).toBe(11n * TICK);
    put(child, { state: 'X' });
    put(root, { cutime: 4 });
    read();
    expect(value(FrameWord.CPU_NS)).toBe(11n * TICK);
  });

  it('a pinned process that is not listed does not count, not as a zombie either', () => {
    const { root } = tree();
    put(root, { state: 'Z' });
    open();
    reader.setMembers(leaf);
    list('11\n');
    read();
    expect(value(FrameWord.CPU_NS)).toBe(3n * TICK);
    expect(reader.rootAlive()).toBe(false);
  });

  it('a list that is not whole throws nobody out', () => {
    const { child } = tree();
    open();
    reader.setMembers(leaf);
    list('10\n11\n');
    read();
    put(child, { utime: 4 });
    list('10\nx\n');
    read();
    expect(value(FrameWord.CPU_NS)).toBe(11n * TICK);
    expect(reader.quality(PartIndex.IO)).toBe(QualityBit.LOWER_BOUND);
  });

  it('without the cgroup parentage tells again', () => {
    tree();
    open();
    reader.setMembers(leaf);
    list('10\n');
    read();
    expect(value(FrameWord.CPU_NS)).toBe(7n * TICK);
    reader.setMembers(null);
    read();
    expect(value(FrameWord.CPU_NS)).toBe(10n * TICK);
  });
});

describe('with a reaper', () => {
  it('what it reaped since the open counts, and never what it used itself', () => {
    const reaper = put(proc.process(9, 1, 50), { utime: 1000, cutime: 70, children: [10] });
    const root = put(proc.process(10, 9, 100), { utime: 5 });
    expect(open({ reaperPid: 9 })).toBeNull();
    read();
    expect(value(FrameWord.CPU_NS)).toBe(5n * TICK);
    expect(reader.liveMembers).toBe(1);
    put(reaper, { utime: 2000, cutime: 77, children: [] });
    put(root, { state: 'X' });
    expect(read()).toBe(PartBit.CPU | PartBit.IO);
    expect(value(FrameWord.CPU_NS)).toBe(7n * TICK);
    expect(reader.totalsExact).toBe(true);
    expect(reader.quality(PartIndex.CPU)).toBe(0);
    expect(reader.failure(PartIndex.MEMORY)).toMatchObject({ code: 'ERR_PROC_GONE' });
  });

  it('a branch that ends whole between two samples counts once, whoever reaps its parts', () => {
    const reaper = put(proc.process(9, 1, 50), { children: [10] });
    const root = put(proc.process(10, 9, 100), { utime: 5, children: [11] });
    put(proc.process(11, 10, 101), { utime: 3, children: [12] });
    put(proc.process(12, 11, 102), { utime: 40 });
    open({ reaperPid: 9 });
    read();
    expect(value(FrameWord.CPU_NS)).toBe(48n * TICK);
    proc.delete(11);
    proc.delete(12);
    put(reaper, { cutime: 40 });
    put(root, { cutime: 3, children: [] });
    read();
    expect(value(FrameWord.CPU_NS)).toBe(48n * TICK);
    // Nothing is left over that would hide what comes.
    put(root, { cutime: 9 });
    read();
    expect(value(FrameWord.CPU_NS)).toBe(54n * TICK);
  });

  it('orphans that it adopted are members', () => {
    put(proc.process(9, 1, 50), { children: [10, 12] });
    put(proc.process(10, 9, 100));
    put(proc.process(12, 9, 101), { utime: 6 });
    open({ reaperPid: 9 });
    read();
    expect(value(FrameWord.CPU_NS)).toBe(6n * TICK);
    expect(reader.totalsExact).toBe(false);
  });
});
