/** Cgroups of the tests' own making, below `/sys/fs/cgroup/tests`. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { until } from './until.mjs';

export const CGROUP_ROOT = '/sys/fs/cgroup';
export const SLICE = `${CGROUP_ROOT}/episcope.slice`;
const TESTS = `${CGROUP_ROOT}/tests`;

let made = 0;

/** Turns controllers on or off (`+memory`, `-memory`) for the children of a cgroup. */
export function setControllers(cgroup, change) {
  writeFileSync(`${cgroup}/cgroup.subtree_control`, change);
}

const ALL = '+cpu +memory +io +pids';

/** A fresh cgroup with all controllers; gone, with all that lives in it, when the test has ended. */
export function makeCgroup(t, parent = TESTS) {
  setControllers(CGROUP_ROOT, ALL);
  mkdirSync(TESTS, { recursive: true });
  setControllers(TESTS, ALL);
  const path = `${parent}/${process.pid}-${made++}`;
  mkdirSync(path);
  t.after(() => removeCgroup(path));
  return path;
}

/** A fresh cgroup with a parent of its own, whose controllers the test may turn. */
export function makeNested(t) {
  const parent = makeCgroup(t);
  setControllers(parent, ALL);
  return { parent, cgroup: makeCgroup(t, parent) };
}

/** One that may have gone already is no fault: some tests remove it themselves. */
export async function removeCgroup(path) {
  if (!existsSync(path)) return;
  writeFileSync(`${path}/cgroup.kill`, '1');
  await emptied(path);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeCgroup(`${path}/${entry.name}`);
  }
  rmdirSync(path);
}

export function emptied(path) {
  return until(`${path} empty`, () => keyed(path, 'cgroup.events').populated === 0);
}

export const text = (path, file) => readFileSync(`${path}/${file}`, 'utf8');

/** The numbers of a flat keyed file. */
export function keyed(path, file) {
  const pairs = text(path, file)
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' '));
  return Object.fromEntries(pairs.map(([key, value]) => [key, Number(value)]));
}

/** Sums over devices of `io.stat`, read the plain way. */
export function ioTotals(path) {
  const totals = { rbytes: 0, wbytes: 0, rios: 0, wios: 0 };
  for (const [, key, value] of text(path, 'io.stat').matchAll(/\b([rw](?:bytes|ios))=(\d+)/g)) {
    totals[key] += Number(value);
  }
  return totals;
}

/** The episode scopes that exist now. */
export function scopes() {
  if (!existsSync(SLICE)) return [];
  return readdirSync(SLICE).filter((name) => name.startsWith('episode-'));
}
