import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CgroupReader } from '../../src/engine/js/cgroup-reader.js';
import { Reading } from '../../src/engine/js/reading.js';
import { PartBit, PartIndex } from '../../src/schema/enumerations.js';
import { FrameWord } from '../../src/schema/layout.js';
import { parseKernelText } from '../support/kernel-texts.js';
import { Child, until } from './child.js';

const NAME = `episcope-test-engine-${process.pid}`;

/** Where this host has cgroup v2 and lets us make a leaf; else why not. */
function writableMount(): { mount: string } | { reason: string } {
  const line = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((one) => one.includes(' - cgroup2 '));
  if (line === undefined) return { reason: 'no cgroup2 file system is mounted' };
  const mount = line.split(' ')[4]!;
  try {
    mkdirSync(join(mount, NAME));
    rmdirSync(join(mount, NAME));
    return { mount };
  } catch (error) {
    return { reason: String(error) };
  }
}

const found = writableMount();
if ('reason' in found) console.log(`no leaf on this host, its tests are left out: ${found.reason}`);
const root = 'mount' in found ? found.mount : '/';
const path = join(root, NAME);
const spec = { root, path: NAME, requireCgroupfs: true };

describe.skipIf('reason' in found)('a leaf of this kernel', () => {
  const reading = new Reading();
  let reader: CgroupReader;

  beforeEach(() => {
    mkdirSync(path);
    reader = new CgroupReader();
    expect(reader.open(spec)).toBeNull();
  });

  afterEach(() => {
    reader.close();
    try {
      rmdirSync(path);
    } catch {
      // The test removed it.
    }
  });

  it('tells what its files tell; what has no controller says so', async () => {
    const { child, line } = await Child.shell('echo $$; read x; exit 0');
    writeFileSync(join(path, 'cgroup.procs'), line);
    expect(reader.populated()).toBe('yes');
    const pids: number[] = [];
    expect(reader.listMembers(pids)).toBe(true);
    expect(pids).toEqual([Number(line)]);
    await child.end();
    await until(() => reader.populated() === 'no');

    const got = reader.read(PartBit.ALL, 0n, reading);
    expect(got & PartBit.CPU).toBe(PartBit.CPU);
    const stat = parseKernelText('cpu.stat', readFileSync(join(path, 'cpu.stat')));
    // The last of a dying task may be accounted after the leaf is said to be empty.
    expect(stat.ok && stat.values[0]).toBeGreaterThanOrEqual(reading.get(FrameWord.CPU_NS));
    expect(reading.get(FrameWord.CPU_NS)).toBeGreaterThan(0n);
    const controllers = readFileSync(join(path, 'cgroup.controllers'), 'utf8').split(/\s/);
    for (const [name, part, index] of [
      ['memory', PartBit.MEMORY, PartIndex.MEMORY],
      ['io', PartBit.IO, PartIndex.IO],
    ] as const) {
      if (controllers.includes(name)) expect(got & part).toBe(part);
      else expect(reader.failure(index)?.code).toBe('ERR_CONTROLLER_NOT_ENABLED');
    }
  });

  it('that is removed is ERR_CGROUP_NOT_FOUND, also when its name is used again', () => {
    expect(reader.read(PartBit.CPU, 0n, reading)).toBe(PartBit.CPU);
    rmdirSync(path);
    expect(reader.read(PartBit.CPU, 0n, reading)).toBe(0);
    expect(reader.failure(PartIndex.CPU)).toMatchObject({ code: 'ERR_CGROUP_NOT_FOUND', file: '' });
    expect(reader.removed).toBe(true);
    expect(new CgroupReader().open(spec)).toMatchObject({ code: 'ERR_CGROUP_NOT_FOUND' });
    mkdirSync(path);
    expect(reader.read(PartBit.CPU, 0n, reading)).toBe(0);
    const fresh = new CgroupReader();
    expect(fresh.open(spec)).toBeNull();
    expect(fresh.read(PartBit.CPU, 0n, reading)).toBe(PartBit.CPU);
    fresh.close();
  });

  it('a file that was turned off and on is opened anew, in the same directory', () => {
    reader.read(PartBit.EXTRA, 0n, reading);
    // Kernels before 6.1 and kernels without PSI have no such switch.
    if (
      !reading.has(FrameWord.PRESSURE_CPU_SOME_NS) ||
      !existsSync(join(path, 'cgroup.pressure'))
    ) {
      return;
    }
    const turn = (state: '0' | '1') => writeFileSync(join(path, 'cgroup.pressure'), state);
    turn('0');
    turn('1');
    expect(reader.read(PartBit.EXTRA, 0n, reading)).toBe(PartBit.EXTRA);
    expect(reading.has(FrameWord.PRESSURE_CPU_SOME_NS)).toBe(true);
    turn('0');
    expect(reader.read(PartBit.EXTRA, 0n, reading)).toBe(PartBit.EXTRA);
    expect(reading.has(FrameWord.PRESSURE_CPU_SOME_NS)).toBe(false);
    expect(reader.removed).toBe(false);
    turn('1');
    expect(reader.read(PartBit.EXTRA, 0n, reading)).toBe(PartBit.EXTRA);
    expect(reading.has(FrameWord.PRESSURE_CPU_SOME_NS)).toBe(true);
  });

  it('removed before any file was opened, it is found gone by populated too', () => {
    rmdirSync(path);
    expect(reader.populated()).toBe('unknown');
    expect(reader.removed).toBe(true);
    expect(reader.listMembers([])).toBe(false);
  });

  it('cgroups below it are listed as well', async () => {
    const { child, line } = await Child.shell('echo $$; read x; exit 0');
    mkdirSync(join(path, 'below'));
    writeFileSync(join(path, 'below/cgroup.procs'), line);
    const pids: number[] = [];
    expect(reader.listMembers(pids)).toBe(true);
    expect(pids).toEqual([Number(line)]);
    await child.end();
    await until(() => reader.populated() === 'no');
    rmdirSync(join(path, 'below'));
  });
});
