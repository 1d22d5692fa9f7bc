import { describe, expect, test } from 'vitest';
import { episodeCgroupPath } from '../../src/episode/cgroup-path.js';
import { CgroupError } from '../../src/error/index.js';
import { MAX_CGROUP_PATH_LEN } from '../../src/schema/bounds.js';

const code = (value: string) => expect.objectContaining({ code: value });

describe('the cgroup of an episode', () => {
  test('is <root>/<slice>/episode-<id>.scope', () => {
    expect(episodeCgroupPath('job-1')).toBe('/sys/fs/cgroup/episcope.slice/episode-job-1.scope');
    expect(episodeCgroupPath('a', '/x/y/')).toBe('/x/y/episcope.slice/episode-a.scope');
    expect(episodeCgroupPath('a', '/', 'my.slice')).toBe('/my.slice/episode-a.scope');
  });

  test('INV-TL04: a path of 4096 bytes is made, a longer one is refused', () => {
    const rest = episodeCgroupPath('a', '/').length;
    const longest = `/${'x'.repeat(MAX_CGROUP_PATH_LEN - rest - 1)}`;
    expect(episodeCgroupPath('a', longest)).toHaveLength(4096);
    expect(() => episodeCgroupPath('a', `${longest}x`)).toThrow(code('ERR_CGROUP_PATH'));
    // Bytes, not characters.
    expect(() => episodeCgroupPath('a', `/${'ä'.repeat(2048)}`)).toThrow(code('ERR_CGROUP_PATH'));
  });

  test.each(['', 'x', './x', '/x/..', '/../x', '/x/../y', '/x\0', 5, null])(
    'the root %j is ERR_CGROUP_PATH',
    (root) => {
      const make = () => episodeCgroupPath('a', root as string);
      expect(make).toThrow(CgroupError);
      expect(make).toThrow(code('ERR_CGROUP_PATH'));
    },
  );

  test.each([
    '',
    '.slice',
    '..slice',
    'a..slice',
    'a/b.slice',
    'a.scope',
    'a.slice\n',
    'ä.slice',
    '../a.slice',
    5,
  ])('the slice %j is ERR_CGROUP_PATH', (slice) => {
    expect(() => episodeCgroupPath('a', '/', slice as string)).toThrow(code('ERR_CGROUP_PATH'));
  });

  test('a root whose names only begin with dots is fine', () => {
    expect(episodeCgroupPath('a', '/..x/...')).toBe('/..x/.../episcope.slice/episode-a.scope');
  });

  test('a bad id is ERR_INVALID_EPISODE_ID', () => {
    expect(() => episodeCgroupPath('../x')).toThrow(code('ERR_INVALID_EPISODE_ID'));
  });
});
