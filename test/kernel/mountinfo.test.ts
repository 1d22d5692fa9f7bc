import { describe, expect, test } from 'vitest';
import {
  cgroup2Mount,
  cgroupDirectoryUnder,
  cgroupMode,
  ownCgroupPath,
} from '../../src/host/hierarchy.js';
import { parseMountinfo } from '../../src/kernel/text/mountinfo.js';

const HYBRID = `24 31 0:22 / /proc rw,relatime - proc proc rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const UNIFIED = `30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
`;
const CONTAINER = `1123 1119 0:26 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate
`;
const HOST_NAMESPACE_CONTAINER = `900 899 0:26 /docker/4f2a /sys/fs/cgroup ro,nosuid shared:4 master:9 - cgroup2 cgroup rw
`;
const V1 = `32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
`;

describe('mountinfo', () => {
  test.each([
    ['hybrid', HYBRID, 'hybrid', '/sys/fs/cgroup/unified'],
    ['unified', UNIFIED, 'v2', '/sys/fs/cgroup'],
    ['a container', CONTAINER, 'v2', '/sys/fs/cgroup'],
    ['v1', V1, 'v1', undefined],
    ['nothing', '', 'none', undefined],
    ['garbage', 'x\n - \n1 2 3 / /a rw\n', 'none', undefined],
  ])('%s: the mode and the cgroup2 mount', (_, text, mode, mountPoint) => {
    const mounts = parseMountinfo(text);
    expect(cgroupMode(mounts)).toBe(mode);
    expect(cgroup2Mount(mounts)?.mountPoint).toBe(mountPoint);
  });

  test('optional fields may be absent or several; read-only is an option of the mount', () => {
    expect(parseMountinfo(HOST_NAMESPACE_CONTAINER)).toEqual([
      {
        root: '/docker/4f2a',
        mountPoint: '/sys/fs/cgroup',
        options: ['ro', 'nosuid'],
        fsType: 'cgroup2',
      },
    ]);
  });

  test('octal escapes are decoded, as bytes: space, newline, backslash, UTF-8 beside them', () => {
    const [mount] = parseMountinfo('1 2 0:3 / /a\\040b\\012c\\134d/ü rw - cgroup2 x rw\n');
    expect(mount?.mountPoint).toBe('/a b\nc\\d/ü');
  });

  test('the mount that shows most of the hierarchy is taken', () => {
    const text = `1 2 0:3 /part /sys/fs/cgroup rw - cgroup2 x rw\n1 2 0:3 / /mnt/cg rw - cgroup2 x rw\n`;
    expect(cgroup2Mount(parseMountinfo(text))?.mountPoint).toBe('/mnt/cg');
  });
});

describe('our own cgroup', () => {
  test.each([
    ['9:name=systemd:/\n4:memory:/x\n0::/user.slice/a:b\n', '/user.slice/a:b'],
    ['0::/\n', '/'],
    ['4:memory:/x\n', null],
  ])('the 0:: line of %j is %j', (text, path) => {
    expect(ownCgroupPath(text)).toBe(path);
  });

  test.each([
    ['/', '/user.slice/x', '/mnt/user.slice/x'],
    ['/', '/', '/mnt'],
    ['/docker/a', '/docker/a/init', '/mnt/init'],
    ['/docker/a', '/docker/b', null],
    ['/../..', '/', null],
    ['/', '/../other', null],
  ])('with the root %s mounted, %s is %s', (root, path, directory) => {
    const mount = { root, mountPoint: '/mnt', fsType: 'cgroup2', options: ['rw'] };
    expect(cgroupDirectoryUnder(mount, path)).toBe(directory);
  });
});
