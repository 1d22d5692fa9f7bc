import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { CgroupError } from '../../src/error/index.js';
import { findCgroup2Mount, type ProcessControl, processControl } from '../../src/host/index.js';
import {
  cleanStaleScopes,
  createScope,
  type DirectScope,
  findStaleScopes,
  removeScope,
} from '../../src/scope/index.js';
import { markerName } from '../../src/scope/marker.js';
import { currentOwner, formatOwner } from '../../src/scope/owner.js';
import { alive, until } from '../support/cli.js';
import { Leaf } from '../support/leaf.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`scopes are not tested on this host: ${noLeaf}`);

const parent = findCgroup2Mount() ?? '';
const place = { parent, controllers: [] };
// A slice of our own: other tests clean in the usual one.
const slice = `episcope-test-${process.pid}.slice`;
const slicePath = `${parent}/${slice}`;
const { control } = processControl();
const deadOwner = { ...currentOwner(), startTicks: '1' };

const MARKS: [string, ProcessControl | null][] = [
  ['an xattr', control],
  ['a marker directory', null],
];

/** Starts a process in a cgroup; resolves once it is inside. */
async function startInside(scope: DirectScope, script: string): Promise<number> {
  const child = spawn('/bin/sh', [
    '-c',
    `echo 0 >"$1/cgroup.procs"; ${script}`,
    'sh',
    scope.cgroupPath,
  ]);
  await until('the process to be inside', () =>
    existsSync(`/proc/${child.pid}`) ? isMember(scope, child.pid!) : null,
  );
  return child.pid!;
}

function isMember(scope: DirectScope, pid: number): boolean {
  return pidsIn(scope.cgroupPath).includes(pid);
}

function pidsIn(directory: string): number[] {
  return readFileSync(`${directory}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
}

describe.skipIf(noLeaf !== null)('a scope', () => {
  test.each(MARKS)('marked by %s is made, and removed with its slice', async (_, by) => {
    const scope = createScope('plain', place, { control: by, slice });
    expect(scope.cgroupPath).toBe(`${slicePath}/episode-plain.scope`);
    expect(existsSync(scope.cgroupPath)).toBe(true);
    await removeScope(scope, by);
    expect(existsSync(slicePath)).toBe(false);
  });

  test.each(MARKS)(
    'with %s of a second one outlives the first, as does the slice',
    async (_, by) => {
      const first = createScope('first', place, { control: by, slice });
      const second = createScope('second', place, { control: by, slice });
      await removeScope(first, by);
      expect(existsSync(second.cgroupPath)).toBe(true);
      await removeScope(second, by);
      expect(existsSync(slicePath)).toBe(false);
    },
  );

  test.each(MARKS)('that exists is ERR_SCOPE_EXISTS, and stays (%s)', async (_, by) => {
    const scope = createScope('twice', place, { control: by, slice });
    const before = readdirSync(slicePath);
    expect(() => createScope('twice', place, { control: by, slice })).toThrowError(
      expect.objectContaining({ name: 'CgroupError', code: 'ERR_SCOPE_EXISTS' }),
    );
    expect(readdirSync(slicePath)).toEqual(before);
    await removeScope(scope, by);
  });

  test('of another maker of the slice leaves the slice alone', async () => {
    mkdirSync(slicePath);
    try {
      await removeScope(createScope('guest', place, { control, slice }), control);
      expect(existsSync(slicePath)).toBe(true);
    } finally {
      rmdirSync(slicePath);
    }
  });

  test('is removed with the processes and the cgroups inside', async () => {
    const scope = createScope('full', place, { control, slice });
    mkdirSync(`${scope.cgroupPath}/inner/innermost`, { recursive: true });
    const pid = await startInside(scope, 'sleep 600');
    await removeScope(scope, control);
    expect(alive(pid)).toBe(false);
    expect(existsSync(slicePath)).toBe(false);
  });
});

describe('a scope that cannot be made', () => {
  test('is ERR_SCOPE_CREATE with the errno and the path, and leaves nothing', () => {
    const directory = mkdtempSync(join(tmpdir(), 'episcope-scope-'));
    try {
      const missing = { parent: join(directory, 'none'), controllers: [] };
      const failure = thrown(() => createScope('x', missing, { control, slice }));
      expect(failure).toMatchObject({
        code: 'ERR_SCOPE_CREATE',
        errno: 'ENOENT',
        file: join(directory, 'none', slice),
      });
      expect(readdirSync(directory)).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('for its id is refused before anything is made', () => {
    expect(thrown(() => createScope('../x', place, { control, slice }))).toMatchObject({
      code: 'ERR_INVALID_EPISODE_ID',
    });
  });
});

describe.skipIf(noLeaf !== null)('what a dead owner left', () => {
  afterEach(async () => {
    // Whatever a failed case left is made removable.
    for (const name of existsSync(slicePath) ? readdirSync(slicePath) : []) {
      if (name.startsWith('episode-'))
        control?.setOwnerMark(`${slicePath}/${name}`, formatOwner(deadOwner));
    }
    await cleanStaleScopes([place], { control, slice });
  });

  test('is found, killed and removed; an unmarked scope and a living owner’s are not touched', async () => {
    const stale = createScope('stale', place, { control, slice });
    control?.setOwnerMark(stale.cgroupPath, formatOwner(deadOwner));
    const pid = await startInside(stale, 'sleep 600');
    const living = createScope('living', place, { control, slice });
    const unmarked = `${slicePath}/episode-unmarked.scope`;
    mkdirSync(unmarked);

    expect(findStaleScopes([place], { control, slice })).toEqual([
      { cgroupPath: stale.cgroupPath, ownerPid: deadOwner.pid },
    ]);
    expect(existsSync(stale.cgroupPath)).toBe(true);
    expect(await cleanStaleScopes([place], { control, slice })).toEqual([
      { cgroupPath: stale.cgroupPath, ownerPid: deadOwner.pid, error: null },
    ]);
    expect(alive(pid)).toBe(false);
    expect(existsSync(stale.cgroupPath)).toBe(false);
    expect(existsSync(living.cgroupPath)).toBe(true);
    expect(existsSync(unmarked)).toBe(true);

    rmdirSync(unmarked);
    await removeScope(living, control);
    expect(existsSync(slicePath)).toBe(false);
  });

  test('under a marker directory is removed with the marker, by anyone', async () => {
    for (const by of [control, null]) {
      const scope = createScope('marked', place, { control: null, slice });
      rmdirSync(scope.markerPath!);
      mkdirSync(`${slicePath}/${markerName(deadOwner, 'marked')}`);
      const found = await cleanStaleScopes([place], { control: by, slice });
      expect(found.map(({ cgroupPath }) => cgroupPath)).toEqual([scope.cgroupPath]);
      expect(existsSync(slicePath)).toBe(false);
    }
  });

  test('a marker says nothing about a scope that has a mark of its own', async () => {
    const scope = createScope('mine', place, { control, slice });
    const marker = `${slicePath}/${markerName(deadOwner, 'mine')}`;
    mkdirSync(marker);
    expect(await cleanStaleScopes([place], { control, slice })).toEqual([]);
    expect(existsSync(marker)).toBe(false);
    expect(existsSync(scope.cgroupPath)).toBe(true);
    await removeScope(scope, control);
  });

  test.each(MARKS)(
    'a dead marker says nothing about a scope whose living owner has a marker too (cleaned by who knows %s)',
    async (_, by) => {
      const scope = createScope('heir', place, { control: null, slice });
      const marker = `${slicePath}/${markerName(deadOwner, 'heir')}`;
      mkdirSync(marker);
      expect(findStaleScopes([place], { control: by, slice })).toEqual([]);
      expect(await cleanStaleScopes([place], { control: by, slice })).toEqual([]);
      expect(existsSync(marker)).toBe(false);
      expect(existsSync(scope.cgroupPath)).toBe(true);
      await removeScope(scope, control);
    },
  );

  test.each(MARKS)(
    'a dead marker is gone before a scope of the same id is made, so that nobody takes it for its (%s)',
    async (_, by) => {
      mkdirSync(slicePath);
      mkdirSync(`${slicePath}/${markerName(deadOwner, 'again')}`);
      try {
        const scope = createScope('again', place, { control: by, slice });
        const pid = await startInside(scope, 'sleep 600');
        expect(await cleanStaleScopes([place], { control: null, slice })).toEqual([]);
        expect(alive(pid)).toBe(true);
        await removeScope(scope, by);
      } finally {
        rmdirSync(slicePath);
      }
    },
  );

  test('a dead marker stays beside the scope it marks, whoever else wants its id', async () => {
    const scope = createScope('kept', place, { control: null, slice });
    rmdirSync(scope.markerPath!);
    const marker = `${slicePath}/${markerName(deadOwner, 'kept')}`;
    mkdirSync(marker);
    expect(thrown(() => createScope('kept', place, { control, slice }))).toMatchObject({
      code: 'ERR_SCOPE_EXISTS',
    });
    expect(existsSync(marker)).toBe(true);
  });

  test('a mark that is no mark counts as none', async () => {
    const scope = createScope('garbled', place, { control, slice });
    control?.setOwnerMark(scope.cgroupPath, 'pid=1 and more');
    expect(await cleanStaleScopes([place], { control, slice })).toEqual([]);
    expect(existsSync(scope.cgroupPath)).toBe(true);
    await removeScope(scope, control);
  });
});

function thrown(act: () => unknown): CgroupError | null {
  try {
    act();
    return null;
  } catch (cause) {
    return cause as CgroupError;
  }
}
