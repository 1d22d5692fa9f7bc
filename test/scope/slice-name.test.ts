import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CgroupReader } from '../../src/index.js';
import { directories, plainDirectories } from '../../src/kernel/directories.js';
import { createScope } from '../../src/scope/create.js';
import {
  cleanStaleScopes,
  createEpisodeScope,
  episodeCgroupPath,
  findStaleScopes,
  removeEpisodeScope,
} from '../../src/scope/index.js';
import { currentOwner, formatOwner } from '../../src/scope/owner.js';
import { PinnedCgroup } from '../../src/scope/pinned-cgroup.js';
import { removeScope } from '../../src/scope/remove.js';
import { ENGINES } from '../support/engines.js';
import { Leaf } from '../support/leaf.js';

const table = readFileSync(new URL('../tables/slices.txt', import.meta.url), 'utf8');
const ROWS = table
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [slice = '', ...path] = line.split(/ +/).filter(Boolean);
    return { slice, path };
  });

test.each(ROWS)('the slice $slice is at $path', ({ slice, path }) => {
  if (path[0] === 'refused') {
    expect(() => episodeCgroupPath('x', '/r', slice)).toThrow(
      expect.objectContaining({ code: 'ERR_CGROUP_PATH' }),
    );
    return;
  }
  expect(episodeCgroupPath('x', '/r', slice)).toBe(['/r', ...path, 'episode-x.scope'].join('/'));
});

test('a slice has a name that a directory can have', () => {
  const longest = `${'a'.repeat(249)}.slice`;
  expect(episodeCgroupPath('x', '/', longest)).toContain(longest);
  expect(() => episodeCgroupPath('x', '/', `a${longest}`)).toThrow(
    expect.objectContaining({ code: 'ERR_CGROUP_PATH' }),
  );
});

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`slices are not made on this host: ${noLeaf}`);

function directoriesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

const MARKS = [
  ['an xattr', directories()],
  ['a marker directory', plainDirectories],
] as const;

describe.skipIf(noLeaf !== null).each(['a-b-c.slice', 'memory.slice', '-.slice'])(
  'a scope in %s',
  (slice) => {
    test.each(ENGINES)(
      'is found by its id, and leaves no level of the slice (%s)',
      async (engine) => {
        const leaf = Leaf.make('slice');
        const root = leaf.path;
        const child = spawn('sleep', ['600'], { stdio: 'ignore' });
        try {
          const scope = await createEpisodeScope(
            'x',
            child.pid!,
            {},
            { root, slice, strategy: 'direct' },
          );
          expect(scope.cgroupPath).toBe(episodeCgroupPath('x', root, slice));
          using reader = CgroupReader.forEpisode('x', { root, slice, engine });
          expect(reader.readCpu().isAvailable).toBe(true);
          await expect(removeEpisodeScope('x', { root, slice })).rejects.toMatchObject({
            code: 'ERR_SCOPE_BUSY',
          });
          await removeEpisodeScope('x', { root, slice, kill: true });
          expect(directoriesIn(root)).toEqual([]);
        } finally {
          child.kill('SIGKILL');
          await leaf.remove();
        }
      },
    );

    test.each(MARKS)(
      'of a dead owner is cleaned, with all levels of the slice (%s)',
      async (_, by) => {
        const leaf = Leaf.make('slice');
        const options = { slice, directories: by };
        try {
          const scope = await createScope('x', leaf.path, options);
          const dead = { ...currentOwner(), startTicks: '1' };
          if (scope.marker === null) {
            const cgroup = PinnedCgroup.open(scope.cgroupPath, directories());
            cgroup.setOwnerMark(formatOwner(dead));
            cgroup.close();
          } else {
            const place = scope.cgroupPath.replace(/\/[^/]*$/, '');
            rmdirSync(`${place}/${scope.marker}`);
            mkdirSync(`${place}/${scope.marker.replace(/^(owner\.\d+\.)\d+/, '$11')}`);
          }
          const [found] = await findStaleScopes([leaf.path], options);
          expect(found?.cgroupPath).toBe(scope.cgroupPath);
          await cleanStaleScopes([leaf.path], options);
          expect(directoriesIn(leaf.path)).toEqual([]);
        } finally {
          await leaf.remove();
        }
      },
    );

    test('leaves what others made of the slice', async () => {
      const leaf = Leaf.make('slice');
      const [top = 'other.slice'] = episodeCgroupPath('x', '/', slice).split('/').slice(1, -1);
      mkdirSync(`${leaf.path}/${top}`);
      try {
        const scope = await createScope('x', leaf.path, { slice });
        await removeScope(scope, { kill: true });
        expect(directoriesIn(leaf.path)).toEqual([top]);
      } finally {
        rmdirSync(`${leaf.path}/${top}`);
        await leaf.remove();
      }
    });
  },
);
