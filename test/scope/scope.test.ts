import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { CgroupError } from '../../src/error/index.js';
import { findCgroup2Mount } from '../../src/host/index.js';
import { type Directories, directories, plainDirectories } from '../../src/kernel/directories.js';
import { createScope, type DirectScope } from '../../src/scope/create.js';
import { cleanStaleScopes, findStaleScopes, removeEpisodeScope } from '../../src/scope/index.js';
import { markerName } from '../../src/scope/marker.js';
import { currentOwner, formatOwner, type Owner } from '../../src/scope/owner.js';
import { PinnedCgroup } from '../../src/scope/pinned-cgroup.js';
import { removeScope as remove } from '../../src/scope/remove.js';
import { alive, until } from '../support/cli.js';
import { Leaf } from '../support/leaf.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`scopes are not tested on this host: ${noLeaf}`);

const parent = findCgroup2Mount() ?? '';
// A slice of our own: other tests clean in the usual one.
const slice = `episcope_test_${process.pid}.slice`;
const slicePath = `${parent}/${slice}`;
const deadOwner = { ...currentOwner(), startTicks: '1' };

const MARKS: [string, Directories][] = [
  ['an xattr', directories()],
  ['a marker directory', plainDirectories],
];

const removeScope = (scope: DirectScope) => remove(scope, { kill: true });

function markAs(owner: Owner | string, path: string): void {
  const cgroup = PinnedCgroup.open(path, directories());
  cgroup.setOwnerMark(typeof owner === 'string' ? owner : formatOwner(owner));
  cgroup.close();
}

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
    const scope = await createScope('plain', parent, { directories: by, slice });
    expect(scope.cgroupPath).toBe(`${slicePath}/episode-plain.scope`);
    expect(existsSync(scope.cgroupPath)).toBe(true);
    await removeScope(scope);
    expect(existsSync(slicePath)).toBe(false);
  });

  test.each(MARKS)(
    'with %s of a second one outlives the first, as does the slice',
    async (_, by) => {
      const first = await createScope('first', parent, { directories: by, slice });
      const second = await createScope('second', parent, { directories: by, slice });
      await removeScope(first);
      expect(existsSync(second.cgroupPath)).toBe(true);
      await removeScope(second);
      expect(existsSync(slicePath)).toBe(false);
    },
  );

  test.each(MARKS)('that exists is ERR_SCOPE_EXISTS, and stays (%s)', async (_, by) => {
    const scope = await createScope('twice', parent, { directories: by, slice });
    const before = readdirSync(slicePath);
    expect(await refusal(createScope('twice', parent, { directories: by, slice }))).toMatchObject({
      name: 'CgroupError',
      code: 'ERR_SCOPE_EXISTS',
    });
    expect(readdirSync(slicePath)).toEqual(before);
    await removeScope(scope);
  });

  test('that is removed by its id takes its marker with it, and the id is free', async () => {
    for (let round = 0; round < 2; round += 1) {
      await createScope('by-id', parent, { directories: plainDirectories, slice });
      await removeEpisodeScope('by-id', { slice });
      expect(existsSync(slicePath)).toBe(false);
    }
  });

  test('of another maker of the slice leaves the slice alone', async () => {
    mkdirSync(slicePath);
    try {
      await removeScope(await createScope('guest', parent, { slice }));
      expect(existsSync(slicePath)).toBe(true);
    } finally {
      rmdirSync(slicePath);
    }
  });

  test('is removed with the processes and the cgroups inside', async () => {
    const scope = await createScope('full', parent, { slice });
    mkdirSync(`${scope.cgroupPath}/inner/innermost`, { recursive: true });
    const pid = await startInside(scope, 'sleep 600');
    await removeScope(scope);
    expect(alive(pid)).toBe(false);
    expect(existsSync(slicePath)).toBe(false);
  });
});

describe('a scope that cannot be made', () => {
  test('for its root is told as such, with the errno and the path', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'episcope-scope-'));
    try {
      const missing = join(directory, 'none');
      expect(await refusal(createScope('x', missing, { slice }))).toMatchObject({
        code: 'ERR_CGROUP_NOT_FOUND',
        errno: 'ENOENT',
        file: missing,
      });
      expect(await refusal(createScope('x', directory, { slice }))).toMatchObject({
        code: 'ERR_NOT_CGROUP2',
        file: directory,
      });
      expect(readdirSync(directory)).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.skipIf(noLeaf !== null).each([
    ['its slice', 0, slice],
    ['what lies in it', 1, `${slice}/episode-x.scope`],
  ])('for %s is told by the path of that very directory', async (_, descendants, name) => {
    const leaf = Leaf.make('full');
    try {
      writeFileSync(`${leaf.path}/cgroup.max.descendants`, String(descendants));
      const file = `${leaf.path}/${name}`;
      expect(await refusal(createScope('x', leaf.path, { slice }))).toMatchObject({
        code: 'ERR_SCOPE_CREATE',
        message: `cannot make ${file} (EAGAIN)`,
        errno: 'EAGAIN',
        file,
      });
    } finally {
      await leaf.remove();
    }
  });

  test('for its id is refused before anything is made', async () => {
    expect(await refusal(createScope('../x', parent, { slice }))).toMatchObject({
      code: 'ERR_INVALID_EPISODE_ID',
    });
  });
});

describe.skipIf(noLeaf !== null)('what a dead owner left', () => {
  afterEach(async () => {
    // Whatever a failed case left is made removable.
    for (const name of existsSync(slicePath) ? readdirSync(slicePath) : []) {
      if (name.startsWith('episode-')) markAs(deadOwner, `${slicePath}/${name}`);
    }
    await cleanStaleScopes([parent], { slice });
  });

  test('is found, killed and removed; an unmarked scope and a living owner’s are not touched', async () => {
    const stale = await createScope('stale', parent, { slice });
    markAs(deadOwner, stale.cgroupPath);
    const pid = await startInside(stale, 'sleep 600');
    const living = await createScope('living', parent, { slice });
    const unmarked = `${slicePath}/episode-unmarked.scope`;
    mkdirSync(unmarked);

    expect(await findStaleScopes([parent], { slice })).toEqual([
      { cgroupPath: stale.cgroupPath, ownerPid: deadOwner.pid },
    ]);
    expect(existsSync(stale.cgroupPath)).toBe(true);
    expect(await cleanStaleScopes([parent], { slice })).toEqual([
      { cgroupPath: stale.cgroupPath, ownerPid: deadOwner.pid, error: null },
    ]);
    expect(alive(pid)).toBe(false);
    expect(existsSync(stale.cgroupPath)).toBe(false);
    expect(existsSync(living.cgroupPath)).toBe(true);
    expect(existsSync(unmarked)).toBe(true);

    rmdirSync(unmarked);
    await removeScope(living);
    expect(existsSync(slicePath)).toBe(false);
  });

  test('under a marker directory is removed with the marker, by anyone', async () => {
    for (const [, by] of MARKS) {
      const scope = await createScope('marked', parent, { directories: plainDirectories, slice });
      rmdirSync(`${slicePath}/${scope.marker}`);
      mkdirSync(`${slicePath}/${markerName(deadOwner, 'marked')}`);
      const found = await cleanStaleScopes([parent], { directories: by, slice });
      expect(found.map(({ cgroupPath }) => cgroupPath)).toEqual([scope.cgroupPath]);
      expect(existsSync(slicePath)).toBe(false);
    }
  });

  test('a marker says nothing about a scope that has a mark of its own', async () => {
    const scope = await createScope('mine', parent, { slice });
    const marker = `${slicePath}/${markerName(deadOwner, 'mine')}`;
    mkdirSync(marker);
    expect(await cleanStaleScopes([parent], { slice })).toEqual([]);
    expect(existsSync(marker)).toBe(false);
    expect(existsSync(scope.cgroupPath)).toBe(true);
    await removeScope(scope);
  });

  test.each(MARKS)(
    'a dead marker says nothing about a scope whose living owner has a marker too (cleaned by who knows %s)',
    async (_, by) => {
      const scope = await createScope('heir', parent, { directories: plainDirectories, slice });
      const marker = `${slicePath}/${markerName(deadOwner, 'heir')}`;
      mkdirSync(marker);
      expect(await findStaleScopes([parent], { directories: by, slice })).toEqual([]);
      expect(await cleanStaleScopes([parent], { directories: by, slice })).toEqual([]);
      expect(existsSync(marker)).toBe(false);
      expect(existsSync(scope.cgroupPath)).toBe(true);
      await removeScope(scope);
    },
  );

  test.each(MARKS)(
    'a dead marker is gone before a scope of the same id is made, so that nobody takes it for its (%s)',
    async (_, by) => {
      mkdirSync(slicePath);
      mkdirSync(`${slicePath}/${markerName(deadOwner, 'again')}`);
      try {
        const scope = await createScope('again', parent, { directories: by, slice });
        const pid = await startInside(scope, 'sleep 600');
        expect(await cleanStaleScopes([parent], { directories: plainDirectories, slice })).toEqual(
          [],
        );
        expect(alive(pid)).toBe(true);
        await removeScope(scope);
      } finally {
        rmdirSync(slicePath);
      }
    },
  );

  test('a dead marker stays beside the scope it marks, whoever else wants its id', async () => {
    const scope = await createScope('kept', parent, { directories: plainDirectories, slice });
    rmdirSync(`${slicePath}/${scope.marker}`);
    const marker = `${slicePath}/${markerName(deadOwner, 'kept')}`;
    mkdirSync(marker);
    expect(await refusal(createScope('kept', parent, { slice }))).toMatchObject({
      code: 'ERR_SCOPE_EXISTS',
    });
    expect(existsSync(marker)).toBe(true);
  });

  test.each([
    ['no mark of ours', 'pid=1 and more'],
    ['a later release', `${formatOwner(deadOwner)} later=1`],
  ])('a mark of %s is nobody’s to judge, whatever a marker says', async (_, mark) => {
    const scope = await createScope('garbled', parent, { slice });
    markAs(mark, scope.cgroupPath);
    mkdirSync(`${slicePath}/${markerName(deadOwner, 'garbled')}`);
    expect(await cleanStaleScopes([parent], { slice })).toEqual([]);
    expect(existsSync(scope.cgroupPath)).toBe(true);
    await removeScope(scope);
  });

  test('an older mark, which tells no time namespace, is that of a dead owner only where nobody has its pid', async () => {
    const old = { ...deadOwner, timeNamespace: null };
    const living = await createScope('living', parent, { slice });
    markAs(old, living.cgroupPath);
    const dead = await createScope('dead', parent, { slice });
    markAs({ ...old, pid: spawnSync('/bin/true').pid }, dead.cgroupPath);
    const found = await cleanStaleScopes([parent], { slice });
    expect(found.map(({ cgroupPath }) => cgroupPath)).toEqual([dead.cgroupPath]);
    expect(existsSync(living.cgroupPath)).toBe(true);
    await removeScope(living);
  });

  test.each(MARKS)(
    'beside a marker that cannot be judged here its own is made, which a cleaner elsewhere believes (%s)',
    async (_, by) => {
      mkdirSync(slicePath);
      const elsewhere = { ...deadOwner, pidNamespace: '1' };
      mkdirSync(`${slicePath}/${markerName(elsewhere, 'heir')}`);
      const scope = await createScope('heir', parent, { directories: by, slice });
      rmdirSync(`${slicePath}/${markerName(elsewhere, 'heir')}`);
      mkdirSync(`${slicePath}/${markerName(deadOwner, 'heir')}`);
      const without = { directories: plainDirectories, slice };
      expect(await cleanStaleScopes([parent], without)).toEqual([]);
      expect(existsSync(scope.cgroupPath)).toBe(true);
      await removeScope(scope);
      rmdirSync(slicePath);
    },
  );
});

async function refusal(act: Promise<unknown>): Promise<CgroupError | null> {
  try {
    await act;
    return null;
  } catch (cause) {
    return cause as CgroupError;
  }
}
