/**
 * Runs every test file of this folder, one process each and one at a time (the guest has two cpus and the
 * tests measure them), and prints the counts as the marker line that the host reads.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const folder = import.meta.dirname;
const only = (process.argv[2] ?? '').split(',').filter((name) => name !== '');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.test.mjs'))
  .filter((name) => only.length === 0 || only.some((part) => name.includes(part)))
  .sort()
  .map((name) => join(folder, name));

let passed = 0;
let failed = 0;

// A suite is not a promise of its own; a skipped test is a promise not kept.
const isTest = (data) => data.details?.type !== 'suite';

const stream = run({ files, concurrency: 1, timeout: 500_000 });
stream.on('test:pass', (data) => {
  if (!isTest(data)) return;
  if (data.skip === undefined && data.todo === undefined) passed++;
  else failed++;
});
stream.on('test:fail', (data) => {
  if (isTest(data)) failed++;
});
stream.compose(spec).pipe(process.stdout);
stream.on('end', () => {
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
});
process.on('exit', () => {
  process.stdout.write(`\nepiscope-vm: counts ${passed} ${failed}\n`);
});
