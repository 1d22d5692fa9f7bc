/** One write through LVM, LUKS, md or multipath is told by every layer of io.stat, and counts once. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CgroupReader } from '../../src/index.js';
import { ENGINES } from '../support/engines.js';
import { FixtureCgroup } from '../support/fixture-cgroup.js';

const MIB = 2 ** 20;

describe.each(ENGINES)('io of stacked devices, engine %s', (engine) => {
  let cgroup: FixtureCgroup;
  let reader: CgroupReader;
  beforeEach(() => {
    cgroup = new FixtureCgroup();
    reader = CgroupReader.fromPath(cgroup.path, { engine, requireCgroupfs: false });
  });
  afterEach(() => {
    reader.close();
    cgroup.remove();
  });

  /** Its directory, of a device that may have been made already. */
  const directoryOf = (number: string) => `${cgroup.path}/sys/dev/block/${number}`;

  /** A device of a recorded sysfs, made of others: `253:0` over `8:0`, or over a partition `8:0/8:2`. */
  function stack(number: string, ...slaves: string[]): void {
    const slavesDirectory = `${directoryOf(number)}/slaves`;
    mkdirSync(slavesDirectory, { recursive: true });
    writeFileSync(`${directoryOf(number)}/dev`, `${number}\n`);
    for (const slave of slaves) {
      const [disk, partition] = slave.split('/') as [string, string?];
      mkdirSync(`${directoryOf(disk)}/slaves`, { recursive: true });
      writeFileSync(`${directoryOf(disk)}/dev`, `${disk}\n`);
      let target = directoryOf(disk);
      if (partition !== undefined) {
        target = `${target}/part`;
        mkdirSync(target, { recursive: true });
        writeFileSync(`${target}/dev`, `${partition}\n`);
        writeFileSync(`${target}/partition`, '2\n');
      }
      symlinkSync(target, `${slavesDirectory}/${slave.replace(/\W/g, '-')}`);
    }
  }

  /** Written MiB of each device, as the file lists them. */
  function written(devices: Readonly<Record<string, number>>): number {
    const lines = Object.entries(devices).map(
      ([number, mib]) =>
        `${number} rbytes=0 wbytes=${mib * MIB} rios=0 wios=${mib} dbytes=0 dios=0\n`,
    );
    cgroup.write('io.stat', lines.join(''));
    const { writeBytes, writeOps } = reader.readIo();
    expect(writeOps).toBe(Number(writeBytes) / MIB);
    return Number(writeBytes) / MIB;
  }

  it('devices beside one another are summed', () => {
    expect(written({ '8:0': 3, '8:16': 4 })).toBe(7);
    expect(written({ '8:0': 3, '(unknown)': 4 })).toBe(7);
  });

  it('a logical volume over a disk', () => {
    stack('253:0', '8:0');
    expect(written({ '253:0': 16, '8:0': 16 })).toBe(16);
    expect(written({ '8:0': 17, '253:0': 16 })).toBe(17);
  });

  it('several layers, over a partition, one of them not told of', () => {
    stack('253:0', '8:0/8:2');
    stack('253:1', '253:0');
    expect(written({ '253:1': 16, '253:0': 16, '8:0': 16 })).toBe(16);
    expect(written({ '253:1': 16, '8:0': 20 })).toBe(20);
  });

  it('two volumes on one disk, which is written to directly as well', () => {
    stack('253:0', '8:0/8:2');
    stack('253:1', '8:0/8:3');
    expect(written({ '253:0': 5, '253:1': 6, '8:0': 5 + 6 + 7, '8:16': 1 })).toBe(19);
  });

  it('a stripe over two disks', () => {
    stack('9:0', '8:0', '8:16');
    expect(written({ '9:0': 16, '8:0': 8, '8:16': 8 })).toBe(16);
  });

  it('what only the upper layer tells is not lost: request-based multipath', () => {
    stack('253:0', '8:0', '8:16');
    expect(written({ '253:0': 16 })).toBe(16);
    expect(written({ '253:0': 16, '8:0': 0, '8:16': 0 })).toBe(16);
  });

  it('a volume that is made later', () => {
    expect(written({ '8:0': 4 })).toBe(4);
    stack('253:0', '8:0');
    expect(written({ '253:0': 2, '8:0': 6 })).toBe(6);
  });

  it('devices that lie: one that stands on itself, and two that stand on one another', () => {
    stack('253:0', '253:0');
    stack('253:1', '253:2');
    stack('253:2', '253:1');
    expect(written({ '253:0': 2, '8:0': 1 })).toBe(3);
    expect(written({ '253:1': 2, '253:2': 2 })).toBeLessThanOrEqual(4);
  });

  it('where sysfs is not recorded every device counts: an upper bound', () => {
    stack('253:0', '8:0');
    rmSync(`${cgroup.path}/sys`, { recursive: true });
    expect(written({ '253:0': 16, '8:0': 16 })).toBe(32);
  });
});
