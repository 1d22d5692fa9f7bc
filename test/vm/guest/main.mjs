/**
 * `main.mjs FOLDER`: runs every test file of a folder, one process each and one at a time (the guest has two
 * cpus and the tests measure them), and prints the counts as the marker line that the host reads.
 */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const folder = resolve(process.argv[2]);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.test.mjs'))
  .sort()
  .map((name) => join(folder, name));

let passed = 0;
let failed = 0;

// A suite is not a promise of its own; a skipped test is a promise not kept.
const isTest = (data) => data.details?.type !== 'suite';

const isPinned = (file) => file.endsWith('.pinned.test.mjs');

for (const [group, concurrency] of [
  [files.filter((file) => !isPinned(file)), 1],
  [files.filter(isPinned), 2],
]) {
  if (group.length === 0) continue;
  const stream = run({ files: group, concurrency, timeout: 500_000 });
  stream.on('test:pass', (data) => {
    if (!isTest(data)) return;
    if (data.skip === undefined && data.todo === undefined) passed++;
    else failed++;
  });
  stream.on('test:fail', (data) => {
    if (isTest(data)) failed++;
  });
  const shown = stream.compose(spec);
  shown.pipe(process.stdout, { end: false });
  await once(shown, 'end');
}
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
process.stdout.write(`\nepiscope-vm: counts ${passed} ${failed}\n`);
