/** In every file: nothing that a test starts outlives it, also when it fails. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach } from 'vitest';
import {
  cgroupsOf,
  killMarked,
  lasting,
  MARK,
  processesMarked,
  removeCgroups,
  shown,
} from './left-behind.js';
import { RUN, WORKERS } from './run.js';

const file = `${process.env[RUN]}/${process.pid}/`;
const names = ['outside of any test'];
let anyFailed = false;

appendFileSync(join(String(process.env[RUN]), WORKERS), `${process.pid}\n`);
process.env[MARK] = `${file}0`;

beforeEach(({ task }) => {
  // Tests that run side by side share one environment, and so the file's mark.
  if (task.concurrent) return;
  process.env[MARK] = `${file}${names.length}`;
  names.push(task.name);
});

// The hooks of the file itself come before these.
afterEach(async ({ task }) => {
  const mark = process.env[MARK] ?? file;
  process.env[MARK] = `${file}0`;
  if (task.result?.state !== 'fail') return;
  anyFailed = true;
  // A test that passed is to have cleaned up itself, which is looked at in the end.
  if (!task.concurrent) await killMarked(mark);
});

afterAll(async () => {
  const find = () => processesMarked(file);
  const processes = anyFailed ? find() : await lasting(find);
  const cgroups = cgroupsOf([process.pid]);
  await killMarked(file);
  await removeCgroups(cgroups);
  if (anyFailed || processes.length + cgroups.length === 0) return;
  const tests = new Set(processes.map(({ test }) => names[test]));
  throw new Error(
    `left behind: ${[...cgroups, shown(processes)].filter(Boolean).join(', ')}; by: ${[...tests].join(', ')}`,
  );
});
