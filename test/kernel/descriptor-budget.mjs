// Sixty files, six cgroups and three processes, read twice under the limit that the caller set.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CgroupReader } from '../../dist/engine/js/cgroup-reader.js';
import { ProcReader } from '../../dist/engine/js/proc-reader.js';
import { Reading } from '../../dist/engine/js/reading.js';
import { descriptorBudget, KeptFile, ReadStatus } from '../../dist/kernel/kept-file.js';

const PRESSURE = 'some total=1\nfull total=1\n';
const FILES = {
  'cpu.stat': 'usage_usec 1\nuser_usec 1\nsystem_usec 0\n',
  'memory.current': '1\n',
  'memory.peak': '1\n',
  'memory.stat': 'anon 1\n',
  'memory.events': 'oom_kill 0\n',
  'io.stat': '',
  'pids.current': '1\n',
  'cpu.pressure': PRESSURE,
  'memory.pressure': PRESSURE,
  'io.pressure': PRESSURE,
};

const root = mkdtempSync(join(tmpdir(), 'episcope-budget-'));
const readers = [];
for (let i = 0; i < 6; i++) {
  const path = join(root, String(i));
  mkdirSync(path);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(path, name), text);
  const reader = new CgroupReader();
  if (reader.open({ root: path, path: '', requireCgroupfs: false }) !== null) throw new Error();
  readers.push(reader);
}
const reading = new Reading();
const readAll = () => readers.map((reader) => reader.read(15, 0n, reading));
const parts = readAll();
const again = readAll();
const directories = descriptorBudget.kept;

const dirfd = openSync(root, 'r');
const files = Array.from({ length: 60 }, (_, i) => new KeptFile(`file${i}`));
for (const { name } of files) writeFileSync(join(root, name), name);
const readFiles = () => files.filter((file) => file.read(dirfd) === ReadStatus.OK).length;
const texts = readFiles() + readFiles();

const children = [1, 2].map(() => spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] }));
const proc = new ProcReader();
if (proc.open({ pid: process.pid, procRoot: '/proc', tree: true, reaperPid: 0 }) !== null) {
  throw new Error();
}
proc.read(15, reading);
proc.read(15, reading);
const { kept } = descriptorBudget;
const live = proc.liveMembers;
for (const child of children) child.stdin.end();

for (const reader of readers) reader.close();
for (const file of files) file.close();
proc.close();
rmSync(root, { recursive: true });
console.log(
  JSON.stringify({
    kept,
    texts,
    parts,
    again,
    directories,
    live,
    afterClose: descriptorBudget.kept,
  }),
);
