// A workload that produces every line of the summary: cpu in many short-lived children, memory, synced io.
import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MIB = 1024 * 1024;
// Not the temporary directory, which is often in memory, so that nothing would be written to a disk.
const cache = fileURLToPath(new URL('../.cache/', import.meta.url));

function burnInChildren(count) {
  const loop = 'i=0; while [ "$i" -lt 20000 ]; do i=$((i+1)); done';
  for (let child = 0; child < count; child += 1) spawnSync('/bin/sh', ['-c', loop]);
}

function writeSynced(mib) {
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, 'demo-'));
  try {
    const fd = openSync(join(directory, 'data'), 'w');
    const block = Buffer.alloc(MIB, 'episcope');
    for (let written = 0; written < mib; written += 1) writeSync(fd, block);
    fsyncSync(fd);
    closeSync(fd);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

burnInChildren(40);
await sleep(300);
burnInChildren(40);

// Last, because a child that is being forked shows its parent's memory as its own, which would count twice.
const held = Array.from({ length: 192 }, (_, index) => Buffer.alloc(MIB, index + 1));
await sleep(300);
writeSynced(32);
console.log(`done: 80 children, ${held.length} MiB held, 32 MiB written and synced`);
