import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Directories,
  directories,
  openForWriting,
  plainDirectories,
} from '../../src/kernel/directories.js';
import { Leaf } from '../support/leaf.js';

const { EINVAL, ELOOP, ENOENT, ENOTDIR, EXDEV } = constants.errno;

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`ownership marks are not tested on this host: ${noLeaf}`);

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'episcope-directories-'));
  mkdirSync(join(directory, 'inside'));
  mkdirSync(join(directory, 'outside'));
  symlinkSync(join(directory, 'outside'), join(directory, 'link'));
  symlinkSync('inside', join(directory, 'near'));
  writeFileSync(join(directory, 'file'), '');
});
afterAll(() => rmSync(directory, { recursive: true }));

const WAYS: [string, Directories][] = [
  ['openat2', directories()],
  ['lstat', plainDirectories],
];

function opened(fd: number): { ino: number; dev: number } {
  expect(fd).toBeGreaterThanOrEqual(0);
  const { ino, dev } = fstatSync(fd);
  closeSync(fd);
  return { ino, dev };
}

test('both ways are tested: the addon is there', () => {
  expect(directories()).not.toBe(plainDirectories);
});

describe.each(WAYS)('a directory opened by %s', (_, way) => {
  test('is that of its name', () => {
    const root = way.openRoot(directory);
    const inside = opened(way.openChild(root, 'inside'));
    expect(inside).toEqual(opened(way.openRoot(join(directory, 'inside'))));
    closeSync(root);
  });

  test.each([
    ['a symlink to elsewhere', 'link', [ELOOP, ENOTDIR]],
    ['a symlink to a neighbour', 'near', [ELOOP, ENOTDIR]],
    ['the parent', '..', [EINVAL]],
    ['itself', '.', [EINVAL]],
    ['nothing', '', [EINVAL]],
    ['a way through', 'inside/../outside', [EINVAL]],
    ['an absolute path', '/etc', [EINVAL]],
    ['a name with a NUL', 'inside\0', [EINVAL]],
    ['a file', 'file', [ENOTDIR]],
    ['what is not there', 'none', [ENOENT]],
  ])('is refused as a child where it is %s', (_name, name, errnos) => {
    const root = way.openRoot(directory);
    expect(errnos).toContain(-way.openChild(root, name));
    closeSync(root);
  });

  test('is refused as a child where another file system is mounted', () => {
    const root = way.openRoot('/');
    expect(way.openChild(root, 'proc')).toBe(-EXDEV);
    closeSync(root);
  });

  test('is refused as a root behind a symlink, in its middle too', () => {
    mkdirSync(join(directory, 'outside', 'deeper'), { recursive: true });
    expect([ELOOP, ENOTDIR]).toContain(-way.openRoot(join(directory, 'link')));
    expect([ELOOP, ENOTDIR]).toContain(-way.openRoot(join(directory, 'link', 'deeper')));
    expect(way.openRoot(join(directory, 'none'))).toBe(-ENOENT);
  });

  test('is never another one while its name is swapped for a symlink and back', async () => {
    const raced = mkdtempSync(join(directory, 'raced-'));
    const name = basename(raced);
    const swapper = new Worker(new URL('./swapper.mjs', import.meta.url), {
      workerData: {
        path: raced,
        away: `${raced}.away`,
        target: join(directory, 'outside'),
      },
    });
    const root = way.openRoot(directory);
    const own = opened(way.openChild(root, 'inside')).ino;
    const real = await new Promise<number>((resolve, reject) => {
      swapper.once('message', resolve);
      swapper.once('error', reject);
    });
    const seen = { opened: 0, refused: 0 };
    while (seen.opened < 200 || seen.refused < 200) {
      const fd = way.openChild(root, name);
      if (fd < 0) {
        expect([ELOOP, ENOTDIR, ENOENT]).toContain(-fd);
        seen.refused += 1;
        continue;
      }
      seen.opened += 1;
      const { ino } = opened(fd);
      expect(ino).toBe(real);
      expect(ino).not.toBe(own);
    }
    closeSync(root);
    await swapper.terminate();
  });
});

test('a file to be written is the directory’s own: no symlink, nothing mounted over it', () => {
  const root = plainDirectories.openRoot(directory);
  symlinkSync(join(directory, 'file'), join(directory, 'file-link'));
  expect(openForWriting(root, 'file-link')).toBe(-ELOOP);
  expect(openForWriting(root, 'none')).toBe(-ENOENT);
  const fd = openForWriting(root, 'file');
  expect(fd).toBeGreaterThanOrEqual(0);
  closeSync(fd);
  closeSync(root);
});

test.skipIf(noLeaf !== null)('an ownership mark is an xattr of the cgroup', async () => {
  const way = directories();
  const leaf = Leaf.make('mark');
  try {
    const fd = way.openRoot(leaf.path);
    expect(way.getOwnerMark(fd)).toBeNull();
    expect(way.setOwnerMark(fd, 'pid=1')).toBeNull();
    expect(way.getOwnerMark(fd)).toBe('pid=1');
    closeSync(fd);
  } finally {
    await leaf.remove();
  }
});

test('without the addon there are no marks', () => {
  const root = plainDirectories.openRoot(directory);
  expect(plainDirectories.setOwnerMark(root, 'pid=1')).toBe('ENOTSUP');
  expect(plainDirectories.getOwnerMark(root)).toBeNull();
  closeSync(root);
});
