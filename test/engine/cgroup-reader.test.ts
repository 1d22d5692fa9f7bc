import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CgroupReader } from '../../src/engine/js/cgroup-reader.js';
import { Reading } from '../../src/engine/js/reading.js';
import { PartBit, PartIndex } from '../../src/schema/enumerations.js';
import { FrameWord } from '../../src/schema/layout.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';

const PRESSURE = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 total=3\n';

let fixture: FixtureCgroup;
let reader: CgroupReader;
const reading = new Reading();

beforeEach(() => {
  fixture = new FixtureCgroup();
  reader = new CgroupReader();
  expect(reader.open({ root: fixture.path, path: '', requireCgroupfs: false })).toBeNull();
});

afterEach(() => {
  reader.close();
  fixture.remove();
});

function read(parts: number = PartBit.ALL, nowNs = 0n): number {
  return reader.read(parts, nowNs, reading);
}

function value(word: number): bigint | null {
  return reading.has(word) ? reading.get(word) : null;
}

function failure(code: string, file: string, rest: object = {}) {
  return { code, file, errno: null, pid: null, offset: null, reason: null, ...rest };
}

describe('what the parts hold', () => {
  it('cpu.stat in ns, memory, io and the rest', () => {
    for (const resource of ['cpu', 'memory', 'io']) fixture.write(`${resource}.pressure`, PRESSURE);
    expect(read()).toBe(PartBit.ALL);
    const words = Object.entries(FrameWord)
      .filter(([name, word]) => name !== 'VALID' && reading.has(word))
      .map(([name, word]) => [name, reading.get(word)]);
    expect(Object.fromEntries(words)).toEqual({
      CPU_NS: 100_000n,
      CPU_USER_NS: 60_000n,
      CPU_SYSTEM_NS: 40_000n,
      CPU_NR_THROTTLED: 2n,
      CPU_THROTTLED_NS: 5_000n,
      MEM_RSS_BYTES: 4096n,
      MEM_CURRENT_BYTES: 8192n,
      MEM_PEAK_BYTES: 16384n,
      PAGE_FAULTS_MAJOR: 7n,
      PAGE_FAULTS_MINOR: 23n,
      IO_READ_BYTES: 512n,
      IO_WRITE_BYTES: 1024n,
      IO_READ_OPS: 3n,
      IO_WRITE_OPS: 4n,
      OOM_KILLS: 0n,
      PIDS: 3n,
      PRESSURE_CPU_SOME_NS: 7000n,
      PRESSURE_MEMORY_SOME_NS: 7000n,
      PRESSURE_MEMORY_FULL_NS: 3000n,
      PRESSURE_IO_SOME_NS: 7000n,
      PRESSURE_IO_FULL_NS: 3000n,
    });
  });

  it('only the words of the asked parts are touched', () => {
    reading.clear();
    reading.set(FrameWord.CPU_NS, 77n);
    reading.set(FrameWord.IO_READ_OPS, 78n);
    expect(read(PartBit.IO)).toBe(PartBit.IO);
    expect(value(FrameWord.CPU_NS)).toBe(77n);
    expect(value(FrameWord.IO_READ_OPS)).toBe(3n);
    expect(value(FrameWord.MEM_RSS_BYTES)).toBeNull();
  });

  it('INV-CPU001: usage is never below user + system', () => {
    fixture.cpu({ usage: 100, user: 70, system: 40 });
    read();
    expect(value(FrameWord.CPU_NS)).toBe(110_000n);
  });

  it('INV-MEM001: the peak is never below rss', () => {
    fixture.memory({ anon: 9000, current: 9500, peak: 8000 });
    read();
    expect(value(FrameWord.MEM_PEAK_BYTES)).toBe(9000n);
  });

  it('without the cpu controller the throttling is absent, not zero', () => {
    fixture.write('cpu.stat', 'usage_usec 1\nuser_usec 1\nsystem_usec 0\n');
    read();
    expect(value(FrameWord.CPU_THROTTLED_NS)).toBeNull();
    expect(value(FrameWord.CPU_NR_THROTTLED)).toBeNull();
  });

  it('without anon rss is memory.current, without memory.peak the highest memory.current seen', () => {
    fixture.delete('memory.peak');
    fixture.write('memory.stat', 'file 1\n');
    read();
    expect(value(FrameWord.MEM_RSS_BYTES)).toBe(8192n);
    expect(value(FrameWord.PAGE_FAULTS_MAJOR)).toBeNull();
    expect(value(FrameWord.PAGE_FAULTS_MINOR)).toBeNull();
    fixture.write('memory.current', '100\n');
    read();
    expect(value(FrameWord.MEM_RSS_BYTES)).toBe(100n);
    expect(value(FrameWord.MEM_PEAK_BYTES)).toBe(8192n);
    fixture.write('memory.stat', 'anon 50\n');
    fixture.write('memory.current', '9000\n');
    read();
    expect(value(FrameWord.MEM_PEAK_BYTES)).toBe(9000n);
    fixture.write('memory.stat', 'anon 9001\n');
    read();
    expect(value(FrameWord.MEM_PEAK_BYTES)).toBe(9001n);
  });

  it('without memory.stat the memory part lives from memory.current', () => {
    fixture.delete('memory.stat');
    expect(read()).toBe(PartBit.ALL);
    expect(value(FrameWord.MEM_RSS_BYTES)).toBe(8192n);
  });

  it('populated tells cgroup.events', () => {
    expect(reader.populated()).toBe('yes');
    fixture.write('cgroup.events', 'populated 0\nfrozen 0\n');
    expect(reader.populated()).toBe('no');
    fixture.write('cgroup.events', 'populated x\n');
    expect(reader.populated()).toBe('unknown');
    expect(reader.removed).toBe(false);
  });
});

describe('memory.stat has a period of its own', () => {
  it('in between its last values are carried, and that is said', () => {
    reader.memoryStatPeriodNs = 100n;
    read(PartBit.MEMORY, 1000n);
    expect(reader.memoryStatCarried).toBe(false);
    fixture.memory({ anon: 5000, current: 9000, peak: 16384 });
    read(PartBit.MEMORY, 1099n);
    expect(reader.memoryStatCarried).toBe(true);
    expect(value(FrameWord.MEM_RSS_BYTES)).toBe(4096n);
    expect(value(FrameWord.MEM_CURRENT_BYTES)).toBe(9000n);
    read(PartBit.MEMORY, 1100n);
    expect(reader.memoryStatCarried).toBe(false);
    expect(value(FrameWord.MEM_RSS_BYTES)).toBe(5000n);
  });

  it('expired, it is read once more whatever the period', () => {
    reader.memoryStatPeriodNs = 100n;
    read(PartBit.MEMORY, 1000n);
    fixture.memory({ anon: 5000, current: 9000, peak: 16384 });
    reader.expireMemoryStat();
    read(PartBit.MEMORY, 1001n);
    expect(reader.memoryStatCarried).toBe(false);
    expect(value(FrameWord.MEM_RSS_BYTES)).toBe(5000n);
    read(PartBit.MEMORY, 1002n);
    expect(reader.memoryStatCarried).toBe(true);
  });

  it('what was refused is not carried', () => {
    reader.memoryStatPeriodNs = 100n;
    read(PartBit.MEMORY, 1000n);
    fixture.write('memory.stat', 'anon x\n');
    expect(read(PartBit.MEMORY, 1100n)).toBe(0);
    expect(read(PartBit.MEMORY, 1101n)).toBe(0);
    fixture.memory({ anon: 6000, current: 9000, peak: 16384 });
    expect(read(PartBit.MEMORY, 1102n)).toBe(PartBit.MEMORY);
    expect(value(FrameWord.MEM_RSS_BYTES)).toBe(6000n);
  });
});

describe('a part that cannot be read is unavailable and says why', () => {
  it('ERR_CGROUP_PARSE with file, offset and reason; the other parts are read', () => {
    fixture.write('cpu.stat', 'usage_usec 1\nuser_usec x\n');
    expect(read()).toBe(PartBit.ALL & ~PartBit.CPU);
    expect(reader.failure(PartIndex.CPU)).toEqual(
      failure('ERR_CGROUP_PARSE', 'cpu.stat', { offset: 23, reason: 'malformed number' }),
    );
    expect(value(FrameWord.CPU_NS)).toBeNull();
    expect(reader.failure(PartIndex.IO)).toBeNull();
    fixture.cpu({ usage: 2, user: 1, system: 1 });
    expect(read()).toBe(PartBit.ALL);
    expect(reader.failure(PartIndex.CPU)).toBeNull();
  });

  it('INV-TL05: 64 KiB are read and not a byte more', () => {
    const line = '8:0 rbytes=1\n';
    const text = line.repeat(Math.floor(65_536 / line.length));
    fixture.write('io.stat', text.padEnd(65_536, '\n'));
    expect(read(PartBit.IO)).toBe(PartBit.IO);
    expect(value(FrameWord.IO_READ_BYTES)).toBe(BigInt(text.length / line.length));
    fixture.write('io.stat', text.padEnd(65_537, '\n'));
    expect(read(PartBit.IO)).toBe(0);
    expect(reader.failure(PartIndex.IO)).toEqual(
      failure('ERR_CGROUP_READ', 'io.stat', { reason: 'larger than 64 KiB' }),
    );
  });

  it('a symlink, a directory in the place of a file', () => {
    fixture.delete('cpu.stat');
    symlinkSync(join(fixture.path, 'io.stat'), join(fixture.path, 'cpu.stat'));
    fixture.delete('io.stat');
    mkdirSync(join(fixture.path, 'io.stat'));
    expect(read()).toBe(PartBit.MEMORY | PartBit.EXTRA);
    expect(reader.failure(PartIndex.CPU)).toEqual(
      failure('ERR_CGROUP_READ', 'cpu.stat', { errno: 'ELOOP' }),
    );
    expect(reader.failure(PartIndex.IO)).toEqual(
      failure('ERR_CGROUP_READ', 'io.stat', { errno: 'EISDIR' }),
    );
  });

  it('a peak that is refused leaves memory available and is told as an extra failure', () => {
    fixture.write('memory.peak', 'x\n');
    expect(read()).toBe(PartBit.ALL & ~PartBit.EXTRA);
    expect(value(FrameWord.MEM_PEAK_BYTES)).toBeNull();
    expect(value(FrameWord.OOM_KILLS)).toBe(0n);
    expect(reader.failure(PartIndex.EXTRA)?.file).toBe('memory.peak');
  });

  it('every extra file that is refused is told, not the first alone', () => {
    const files = ['memory.peak', 'memory.events', 'pids.current'].concat(
      ['cpu', 'memory', 'io'].map((resource) => `${resource}.pressure`),
    );
    for (const name of files) fixture.write(name, 'x');
    expect(read()).toBe(PartBit.ALL & ~PartBit.EXTRA);
    expect(reader.extraFailures().map(({ file }) => file)).toEqual(files);
    expect(reader.failure(PartIndex.EXTRA)).toBe(reader.extraFailures()[0]);
    // The peak is read with the memory part, the others are not.
    read(PartBit.MEMORY);
    expect(reader.extraFailures().map(({ file }) => file)).toEqual(['memory.peak']);
    read(PartBit.CPU);
    expect(reader.extraFailures()).toEqual([]);
    fixture.write('memory.peak', '1\n');
    fixture.delete('memory.events');
    read();
    expect(reader.extraFailures().map(({ file }) => file)).toEqual(files.slice(2));
    expect(reader.failure(PartIndex.EXTRA)?.file).toBe('pids.current');
  });

  it('an extra file that is refused loses its word alone', () => {
    fixture.write('pids.current', 'max\n');
    fixture.write('io.pressure', PRESSURE);
    expect(read()).toBe(PartBit.ALL & ~PartBit.EXTRA);
    expect(value(FrameWord.PIDS)).toBeNull();
    expect(value(FrameWord.OOM_KILLS)).toBe(0n);
    expect(value(FrameWord.PRESSURE_IO_FULL_NS)).toBe(3000n);
    expect(reader.failure(PartIndex.EXTRA)?.file).toBe('pids.current');
  });
});

describe('a controller', () => {
  it('that is not enabled is ERR_CONTROLLER_NOT_ENABLED, and it may be enabled later', () => {
    for (const name of [
      'memory.current',
      'memory.stat',
      'memory.peak',
      'io.stat',
      'memory.events',
    ]) {
      fixture.delete(name);
    }
    expect(read()).toBe(PartBit.CPU | PartBit.EXTRA);
    expect(reader.failure(PartIndex.MEMORY)).toEqual(
      failure('ERR_CONTROLLER_NOT_ENABLED', 'memory.current', { errno: 'ENOENT' }),
    );
    expect(reader.failure(PartIndex.IO)?.file).toBe('io.stat');
    expect(value(FrameWord.OOM_KILLS)).toBeNull();
    // Absent at every read, until it is there.
    expect(read()).toBe(PartBit.CPU | PartBit.EXTRA);
    fixture.memory({ anon: 1, current: 2, peak: 3 });
    fixture.io({ read: 4, write: 5 });
    expect(read()).toBe(PartBit.ALL);
    expect(value(FrameWord.IO_WRITE_BYTES)).toBe(5n);
  });

  it('that is turned off after it was read is not enabled; turned on again it is read again', () => {
    expect(read()).toBe(PartBit.ALL);
    fixture.delete('io.stat');
    expect(read()).toBe(PartBit.ALL & ~PartBit.IO);
    expect(reader.failure(PartIndex.IO)).toEqual(
      failure('ERR_CONTROLLER_NOT_ENABLED', 'io.stat', { errno: 'ENOENT' }),
    );
    fixture.io({ read: 6, write: 7 });
    expect(read()).toBe(PartBit.ALL);
    expect(value(FrameWord.IO_WRITE_BYTES)).toBe(7n);
  });
});

describe('a directory that is gone', () => {
  it('is ERR_CGROUP_NOT_FOUND for every part, and stays so', () => {
    expect(read()).toBe(PartBit.ALL);
    rmSync(fixture.path, { recursive: true });
    expect(read()).toBe(0);
    expect(reader.removed).toBe(true);
    for (const part of [0, 1, 2, 3] as const) {
      expect(reader.failure(part)).toEqual(
        failure('ERR_CGROUP_NOT_FOUND', '', { errno: 'ENOENT' }),
      );
    }
    expect(reading.words.every((word) => word === 0n)).toBe(true);
    mkdirSync(fixture.path, { recursive: true });
    fixture.cpu({ usage: 1, user: 1, system: 0 });
    expect(read()).toBe(0);
    expect(reader.populated()).toBe('unknown');
  });

  it('that was only renamed is the same directory', () => {
    renameSync(fixture.path, `${fixture.path}.moved`);
    expect(read()).toBe(PartBit.ALL);
  });
});

describe('listMembers', () => {
  it('lists the cgroup and all below it', () => {
    fixture.write('cgroup.procs', '10\n11\n');
    mkdirSync(join(fixture.path, 'a/b'), { recursive: true });
    mkdirSync(join(fixture.path, 'c'));
    fixture.write('a/cgroup.procs', '12\n');
    fixture.write('a/b/cgroup.procs', '13\n');
    fixture.write('c/cgroup.procs', '');
    const pids: number[] = [];
    expect(reader.listMembers(pids)).toBe(true);
    expect(pids.sort()).toEqual([10, 11, 12, 13]);
  });

  it.each<[string, (at: FixtureCgroup) => void, number[]]>([
    ['a list is missing', (at) => mkdirSync(join(at.path, 'a')), [10]],
    ['a list is no list', (at) => at.write('cgroup.procs', '10\nx\n11\n'), [10]],
    [
      'a list is larger than 64 KiB',
      (at) => at.write('cgroup.procs', '10\n'.repeat(30_000)),
      Array.from({ length: 21_845 }, () => 10),
    ],
  ])('says that the list is not whole when %s', (_, change, expected) => {
    fixture.write('cgroup.procs', '10\n');
    change(fixture);
    const pids: number[] = [];
    expect(reader.listMembers(pids)).toBe(false);
    expect(pids).toEqual(expected);
  });

  it('a symlink to a directory is not followed', () => {
    fixture.write('cgroup.procs', '10\n');
    mkdirSync(join(fixture.root, 'elsewhere'));
    symlinkSync(join(fixture.root, 'elsewhere'), join(fixture.path, 'link'));
    const pids: number[] = [];
    expect(reader.listMembers(pids)).toBe(true);
    expect(pids).toEqual([10]);
  });
});
