import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CgroupSpec } from '../../src/engine/engine.js';
import { CgroupReader } from '../../src/engine/js/cgroup-reader.js';

const root = mkdtempSync(join(tmpdir(), 'episcope-path-'));
mkdirSync(join(root, 'real/leaf'), { recursive: true });
writeFileSync(join(root, 'file'), '');
symlinkSync('real', join(root, 'link'));
symlinkSync('leaf', join(root, 'real/last'));
symlinkSync('nowhere', join(root, 'dangling'));
afterAll(() => rmSync(root, { recursive: true }));

function open(spec: Partial<CgroupSpec>): [string, string | null] | null {
  const reader = new CgroupReader();
  const failure = reader.open({ root, path: '', requireCgroupfs: false, ...spec });
  reader.close();
  if (failure === null) return null;
  expect(failure).toMatchObject({ file: '', pid: null, offset: null, reason: null });
  return [failure.code, failure.errno];
}

describe('a cgroup path', () => {
  it.each<Partial<CgroupSpec>>([
    { path: 'real/leaf' },
    { path: 'real/leaf/' },
    { path: './real//leaf/.' },
    { root: `${root}/`, path: '/real/leaf' },
    { root: '/', path: '' },
  ])('%j is opened', (spec) => {
    expect(open(spec)).toBeNull();
  });

  it.each<[string, Partial<CgroupSpec>, string, string | null]>([
    ['a symlink in the middle', { path: 'link/leaf' }, 'ERR_CGROUP_PATH', 'ELOOP'],
    ['a symlink at the end', { path: 'real/last' }, 'ERR_CGROUP_PATH', 'ELOOP'],
    ['a symlink in the root', { root: `${root}/link`, path: 'leaf' }, 'ERR_CGROUP_PATH', 'ELOOP'],
    ['a symlink to nowhere', { path: 'dangling' }, 'ERR_CGROUP_PATH', 'ELOOP'],
    ['a symlink of procfs', { root: '/proc/self', path: 'root' }, 'ERR_CGROUP_PATH', 'ELOOP'],
    ['a file', { path: 'file' }, 'ERR_CGROUP_PATH', 'ENOTDIR'],
    ['a file in the middle', { path: 'file/leaf' }, 'ERR_CGROUP_PATH', 'ENOTDIR'],
    ['..', { path: '..' }, 'ERR_CGROUP_PATH', null],
    ['.. that stays below', { path: 'real/../real' }, 'ERR_CGROUP_PATH', null],
    ['.. in the root', { root: `${root}/real/..` }, 'ERR_CGROUP_PATH', null],
    ['a relative root', { root: 'real' }, 'ERR_CGROUP_PATH', null],
    ['no root', { root: '' }, 'ERR_CGROUP_PATH', null],
    ['a NUL', { path: 'real\0/leaf' }, 'ERR_CGROUP_PATH', null],
    ['a NUL in the root', { root: `${root}\0` }, 'ERR_CGROUP_PATH', null],
    ['INV-TL04: 4097 bytes', { path: 'a/'.repeat(2048).concat('a') }, 'ERR_CGROUP_PATH', null],
    ['4097 bytes in 4096 characters', { path: `${'a/'.repeat(2047)}aé` }, 'ERR_CGROUP_PATH', null],
    ['a name of 256 bytes', { path: 'a'.repeat(256) }, 'ERR_CGROUP_READ', 'ENAMETOOLONG'],
    ['what is not there', { path: 'nowhere' }, 'ERR_CGROUP_NOT_FOUND', 'ENOENT'],
    ['a root that is not there', { root: `${root}/x/y` }, 'ERR_CGROUP_NOT_FOUND', 'ENOENT'],
    ['another file system', { requireCgroupfs: true }, 'ERR_NOT_CGROUP2', null],
    ['procfs', { root: '/proc', requireCgroupfs: true }, 'ERR_NOT_CGROUP2', null],
  ])('%s is refused', (_, spec, code, errno) => {
    expect(open(spec)).toEqual([code, errno]);
  });
});
