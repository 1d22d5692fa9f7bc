import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  findCgroup2Mount,
  hostFacts,
  isCgroupV2Available,
  whyNoCgroup2,
} from '../../src/host/index.js';

let root: string;
let procRoot: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'episcope-host-'));
  procRoot = join(root, 'proc');
  write('proc/self/cgroup', '0::/box\n');
  write('proc/sys/kernel/osrelease', '6.1.0-test\n');
  write('proc/self/mountinfo', `1 2 0:3 / ${root}/cg rw,nosuid - cgroup2 cgroup2 rw\n`);
  write('cg/cgroup.controllers', 'cpuset cpu io memory pids\n');
  write('cg/cgroup.subtree_control', 'cpu\n');
  write('cg/cgroup.procs', '1\n');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
}

test('the facts of a full host: mount, controllers, own cgroup, kernel', () => {
  const facts = hostFacts({ procRoot });
  expect(facts.mode).toBe('v2');
  expect(facts.kernel).toBe('6.1.0-test');
  expect(facts.cgroup2).toEqual({
    mountPoint: `${root}/cg`,
    readOnly: false,
    controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
    ownPath: '/box',
    ownDirectory: `${root}/cg/box`,
  });
});

test('the root of the hierarchy can give every controller, though it has processes', () => {
  const [place] = hostFacts({ procRoot }).scopes.places;
  expect(place).toEqual({ parent: `${root}/cg`, controllers: ['cpu', 'memory', 'io', 'pids'] });
});

test('a populated cgroup below the root gives only what it gives already', () => {
  write('cg/cgroup.type', 'domain\n');
  const [place] = hostFacts({ procRoot }).scopes.places;
  expect(place?.controllers).toEqual(['cpu']);
});

test('our own cgroup is a place too, after the root; a threaded one is none, and says why', () => {
  write('cg/box/cgroup.type', 'threaded\n');
  write('cg/box/cgroup.procs', '');
  const { places, refused } = hostFacts({ procRoot }).scopes;
  expect(places.map(({ parent }) => parent)).toEqual([`${root}/cg`]);
  expect(refused).toEqual([
    { directory: `${root}/cg/box`, reason: "its type is 'threaded', not 'domain'" },
  ]);
});

test('pressure: readable, or why not', () => {
  expect(hostFacts({ procRoot }).psi).toEqual({
    available: false,
    reason: 'the kernel has no pressure files',
  });
  write('cg/cpu.pressure', 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n');
  expect(hostFacts({ procRoot }).psi).toEqual({ available: true, reason: null });
});

test('a host without any cgroup, and one whose procfs tells nothing, have facts all the same', () => {
  write('proc/self/mountinfo', '');
  const facts = hostFacts({ procRoot });
  expect(facts).toMatchObject({ mode: 'none', cgroup2: null });
  expect(facts.scopes).toEqual({ enclosing: null, places: [], refused: [] });
  expect(hostFacts({ procRoot: join(root, 'nothing') }).mode).toBe('none');
});

test('why there is no cgroup2: none is mounted, only v1 is, or nobody tells', () => {
  expect(whyNoCgroup2({ procRoot })).toBeNull();
  expect(hostFacts({ procRoot }).noCgroup2).toBeNull();
  write('proc/self/mountinfo', '1 2 0:3 / /x rw - cgroup cgroup rw,cpu\n');
  expect(whyNoCgroup2({ procRoot })).toMatch(/^this host has cgroup v1 only/);
  write('proc/self/mountinfo', '');
  expect(whyNoCgroup2({ procRoot })).toBe('no cgroup2 is mounted');
  const missing = join(root, 'nothing');
  const unknown = `whether a cgroup2 is mounted is not known: ${missing}/self/mountinfo cannot be read (ENOENT)`;
  expect(whyNoCgroup2({ procRoot: missing })).toBe(unknown);
  expect(hostFacts({ procRoot: missing })).toMatchObject({
    noCgroup2: unknown,
    psi: { available: false, reason: expect.stringContaining('cannot be read') },
  });
});

test('isCgroupV2Available: a cgroup2 mount exists, hybrid included', () => {
  expect(isCgroupV2Available({ procRoot })).toBe(true);
  expect(findCgroup2Mount({ procRoot })).toBe(`${root}/cg`);
  write(
    'proc/self/mountinfo',
    `1 2 0:3 / /x rw - cgroup cgroup rw\n1 2 0:3 / ${root}/cg rw - cgroup2 cgroup2 rw\n`,
  );
  expect(isCgroupV2Available({ procRoot })).toBe(true);
  write('proc/self/mountinfo', '1 2 0:3 / /x rw - cgroup cgroup rw,cpu\n');
  expect(isCgroupV2Available({ procRoot })).toBe(false);
});
