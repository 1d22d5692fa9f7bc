/**
 * A new metric is one row of the schema and one line in its file's parser of each engine: adds two made-up ones to a copy
 * of the project, builds it, and follows their values from the kernel file through the ring and its readers to JSON.
 * `npm run test:schema`; it compiles the addon, so it takes a minute.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { METRICS } from '../../schema/metrics.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const usedWords = METRICS.map(({ word }) => word);
const firstFreeWord = 1 + usedWords.find((word) => !usedWords.includes(word + 1));

/** A key of a file that is read already, and a file of its own whose word lies in the upper half of the validity mask. */
const EDITS = {
  'schema/metrics.mjs': [
    [
      /\n\];\n$/,
      `
  { name: 'madeUpBytes', key: 'made_up_bytes', part: 'memory', word: ${firstFreeWord}, unit: 'bytes', kind: 'gauge',
    doc: 'Made up.', file: 'memory.stat', fileKey: 'made_up', since: '0.0', stats: 'madeUpBytes' },
  { name: 'inventedCount', key: 'invented_count', part: 'extra', word: 40, unit: 'count', kind: 'counter',
    doc: 'Made up too.', file: 'invented.count', fileKey: '', since: '0.0' },
];
`,
    ],
  ],
  'native/core/parse_cgroup.h': [
    [
      /kMemoryStatKeys\[\] = \{\n/,
      '$&    {"made_up", Presence::kOptional, Figure::kGauge, word::kMadeUpBytes},\n',
    ],
    [
      /kOptionalFiles\[\] = \{\n/,
      '$&    {"invented.count", word::kInventedCount, parse_gauge<word::kInventedCount>},\n',
    ],
  ],
  'src/engine/js/cgroup-files.ts': [
    [
      /flatFile\('memory\.stat', \[\n/,
      "$&    [optional('made_up', 'gauge'), FrameWord.MADE_UP_BYTES],\n",
    ],
    [
      /optional: readonly WordFile\[\] = \[\n/,
      "$&    gaugeFile('invented.count', FrameWord.INVENTED_COUNT),\n",
    ],
  ],
};

function copyProject(to) {
  const files = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  );
  for (const file of files.split('\0').filter(Boolean)) {
    if (file.startsWith('test/')) continue;
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(ROOT, file), join(to, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(to, 'node_modules'));
}

function edit(copy) {
  for (const [file, changes] of Object.entries(EDITS)) {
    let text = readFileSync(join(copy, file), 'utf8');
    for (const [from, to] of changes) {
      assert.match(text, from, `${file} has the place for a new metric`);
      text = text.replace(from, to);
    }
    writeFileSync(join(copy, file), text);
  }
}

function build(copy) {
  const run = (command, args) => {
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: copy,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    });
    assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  };
  run('npm', ['run', 'schema']);
  run('npm', ['run', 'build']);
}

function writeCgroup(directory) {
  const files = {
    'cpu.stat': 'usage_usec 3\nuser_usec 2\nsystem_usec 1\n',
    'memory.current': '8192\n',
    'memory.peak': '8192\n',
    'memory.stat': 'anon 4096\nmade_up 4711\npgfault 3\npgmajfault 1\n',
    'io.stat': '',
    'invented.count': '17\n',
    'cgroup.events': 'populated 1\nfrozen 0\n',
    'cgroup.procs': '',
  };
  mkdirSync(directory);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}

async function follow(copy, cgroupPath, engine) {
  const { TelemetryCollector, TelemetryFrame, CgroupReader, FrameReader } = await import(
    pathToFileURL(join(copy, 'dist/index.js')).href
  );
  const addonFree = await import(pathToFileURL(join(copy, 'dist/readers/addon-free.js')).href);
  const collector = new TelemetryCollector(undefined, { engine, requireCgroupfs: false });
  const handle = collector.start(`made-up-${engine}`, process.pid, { cgroupPath, manual: true });
  const collected = collector.collect(handle);
  const read = [FrameReader, addonFree.FrameReader].flatMap((Reader) => [
    new Reader(handle.share()).latest(),
    new Reader(handle.share(), { bigint: true }).latest(),
  ]);
  for (const frame of [collected, ...read]) {
    assert.equal(Number(frame.madeUpBytes), 4711);
    assert.equal(Number(frame.inventedCount), 17);
  }
  const line = collected.toNDJSON();
  assert.match(line, /"made_up_bytes":4711,"invented_count":17/);
  const again = TelemetryFrame.fromJSON(JSON.parse(line));
  assert.deepEqual([again.madeUpBytes, again.inventedCount], [4711, 17]);
  assert.equal(TelemetryFrame.builder('built', 0).madeUpBytes(5).build().madeUpBytes, 5);
  // A rise and a fall: a gauge follows, a counter does not go back.
  writeFileSync(join(cgroupPath, 'memory.stat'), 'anon 4096\nmade_up 1\npgfault 3\npgmajfault 1\n');
  writeFileSync(join(cgroupPath, 'invented.count'), '2\n');
  const reader = CgroupReader.fromPath(cgroupPath, { engine, requireCgroupfs: false });
  assert.equal(reader.readMemory().madeUpBytes, 1);
  reader.close();
  const [terminal] = (await handle.stop()).slice(-1);
  assert.deepEqual([terminal.madeUpBytes, terminal.inventedCount], [1, 17]);
  console.log(
    `${engine}: from the kernel's file through the ring and both readers to JSON and back`,
  );
}

const directory = mkdtempSync(join(tmpdir(), 'episcope-schema-'));
try {
  const copy = join(directory, 'project');
  copyProject(copy);
  edit(copy);
  build(copy);
  const docs = readFileSync(join(copy, 'docs/numbers.md'), 'utf8');
  assert.match(docs, /\| `madeUpBytes` \| `made_up_bytes` \| bytes \| gauge \|/);
  for (const engine of ['native', 'js']) {
    const cgroupPath = join(directory, engine);
    writeCgroup(cgroupPath);
    await follow(copy, cgroupPath, engine);
  }
  console.log('2 passed, 0 failed');
} catch (error) {
  console.error(error);
  console.log('0 passed, 2 failed');
  process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
