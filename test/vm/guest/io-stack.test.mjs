/**
 * A write through device mapper is told by io.stat for every layer: two linear volumes on one another, over a disk in
 * memory. It counts once, in the figures and for a budget.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CgroupReader } from 'episcope';
import { ioTotals, makeCgroup } from './cgroup.mjs';
import { PATIENCE } from './until.mjs';
import { ENGINES } from './workload.mjs';

const MIB = 2 ** 20;
const UPPER = '/dev/mapper/episcope-upper';

/** Why there is no such device here, or false. */
function whyNoStack() {
  if (!existsSync('/sbin/dmsetup'))
    return 'no dmsetup in this guest: the host that made it has none';
  if (!existsSync('/modules/dm-mod.ko')) return 'no device mapper in the kernel of this guest';
  return false;
}

function makeStack() {
  if (existsSync(UPPER)) return;
  const run = (command, ...args) =>
    execFileSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for (const name of ['configfs', 'dm-mod']) run('insmod', `/modules/${name}.ko`);
  run('insmod', '/modules/null_blk.ko', 'nr_devices=1', 'gb=1', 'memory_backed=1', 'bs=4096');
  const sectors = readFileSync('/sys/block/nullb0/size', 'latin1').trim();
  const create = (name, below) => {
    run(
      '/sbin/dmsetup',
      '--noudevsync',
      '--noudevrules',
      'create',
      name,
      '--table',
      `0 ${sectors} linear ${below} 0`,
    );
    run('/sbin/dmsetup', '--noudevsync', '--noudevrules', 'mknodes');
  };
  create('episcope-lower', '/dev/nullb0');
  create('episcope-upper', '/dev/mapper/episcope-lower');
}

for (const engine of ENGINES) {
  describe(`io of stacked devices (${engine})`, { skip: whyNoStack() }, () => {
    test('a write of 8 MiB counts 8 MiB', PATIENCE, (t) => {
      makeStack();
      const cgroup = makeCgroup(t);
      const write = `echo 0 > ${cgroup}/cgroup.procs && exec dd if=/dev/zero of=${UPPER} bs=1M count=8 oflag=direct 2>/dev/null`;
      execFileSync('/bin/sh', ['-c', write]);
      // What the kernel tells is more than that: else this shows nothing.
      assert.ok(ioTotals(cgroup).wbytes >= 16 * MIB, readFileSync(`${cgroup}/io.stat`, 'latin1'));
      const reader = CgroupReader.fromPath(cgroup, { engine });
      t.after(() => reader.close());
      assert.equal(reader.readIo().writeBytes, 8 * MIB);
    });
  });
}
