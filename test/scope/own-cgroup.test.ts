/** Nobody freezes or kills the cgroup it lives in, by whatever path it is reached. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findCgroup2Mount } from '../../src/host/index.js';
import { HOLDS_US, whyNotStopped } from '../../src/kernel/own-membership.js';
import { removeEpisodeScope } from '../../src/scope/index.js';
import { INSTALLS } from '../support/cli.js';
import { Leaf } from '../support/leaf.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`one's own cgroup is not tested on this host: ${noLeaf}`);

const mount = findCgroup2Mount() ?? '';
const slice = `episcope_own_${process.pid}.slice`;
const script = fileURLToPath(new URL('./self-scope.mjs', import.meta.url));

const REFUSED = {
  freeze: 'ERR_INVALID_CONFIG',
  kill: 'ERR_INVALID_CONFIG',
  remove: 'ERR_SCOPE_BUSY',
  removeKill: 'ERR_INVALID_CONFIG',
  byId: 'ERR_INVALID_CONFIG',
  freezeExhausted: 'ERR_INVALID_CONFIG',
  killExhausted: 'ERR_INVALID_CONFIG',
  aboveExhausted: 'ERR_INVALID_CONFIG',
};

function whyNoMounts(): string | null {
  if (noLeaf !== null) return noLeaf;
  const { status, stderr } = spawnSync('unshare', ['--mount', 'mount', '--bind', '/mnt', '/mnt']);
  return status === 0 ? null : `nothing can be mounted: ${stderr ?? 'unshare is missing'}`;
}

const noMounts = whyNoMounts();
if (noMounts !== null) console.log(`other paths to it are not tested on this host: ${noMounts}`);

/** How its part of the hierarchy is shown to the script, which gets `$root`. `$PART` is the leaf's directory. */
const VIEWS: [string, string[], string][] = [
  ['its usual path', [], 'root=$PART'],
  ['a bind mount beside the usual one', [], 'mount --bind "$PART" /mnt; root=/mnt'],
  [
    'a bind mount, the usual one being hidden',
    [],
    'mount --bind "$PART" /mnt; umount -l "$MOUNT"; root=/mnt',
  ],
  ['a second mount of the hierarchy', [], 'mount -t cgroup2 none /mnt; root="/mnt/$NAME"'],
  ['the mount of an outer cgroup namespace', ['--cgroup'], 'root=$PART'],
  ['the mount of its own cgroup namespace', ['--cgroup'], 'mount -t cgroup2 none /mnt; root=/mnt'],
];

describe.skipIf(noMounts !== null).each(INSTALLS)('a process in a scope, $name', ({ env }) => {
  const leaf = `${mount}/episcope-own-${process.pid}`;
  beforeEach(() => mkdirSync(leaf));
  afterEach(async () => {
    if (existsSync(`${leaf}/${slice}`)) await removeEpisodeScope('self', { slice, root: leaf });
    rmdirSync(leaf);
  });

  test.each(VIEWS)('reached by %s neither freezes nor kills it', async (_, flags, view) => {
    const shell = `echo $$ >"$PART/cgroup.procs"; exec unshare --mount ${flags.join(' ')} sh -ec '${view}; exec "$@" "$root"' sh "$@"`;
    const child = spawn('sh', ['-c', shell, 'sh', process.execPath, script, slice], {
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        ...env,
        PART: leaf,
        MOUNT: mount,
        NAME: leaf.slice(mount.length + 1),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    const ended = once(child, 'exit');
    for await (const chunk of child.stdout) output += String(chunk);
    await ended;
    expect(JSON.parse(output)).toEqual(REFUSED);
  });
});

describe.skipIf(noLeaf !== null)('whether a cgroup holds this process', () => {
  let leaf: Leaf;
  let home: string;
  beforeEach(() => {
    leaf = Leaf.make('holds');
    home = `${mount}${/^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))![1]}`;
  });
  afterEach(async () => {
    writeFileSync(`${home}/cgroup.procs`, String(process.pid));
    for (const below of ['a/b', 'a']) {
      if (existsSync(`${leaf.path}/${below}`)) rmdirSync(`${leaf.path}/${below}`);
    }
    await leaf.remove();
  });

  test('is known of one that it is in, that is above it, and of any other', () => {
    mkdirSync(`${leaf.path}/a/b`, { recursive: true });
    expect(whyNotStopped(leaf.path)).toBeNull();
    writeFileSync(`${leaf.path}/a/b/cgroup.procs`, String(process.pid));
    expect(whyNotStopped(`${leaf.path}/a/b`)).toBe(HOLDS_US);
    expect(whyNotStopped(leaf.path)).toBe(HOLDS_US);
    writeFileSync(`${home}/cgroup.procs`, String(process.pid));
    expect(whyNotStopped(leaf.path)).toBeNull();
    expect(whyNotStopped(`${leaf.path}/none`)).toBeNull();
  });

  test('is known of a threaded one, which lists no processes', async () => {
    const child: ChildProcess = spawn('sleep', ['600'], { stdio: 'ignore' });
    try {
      mkdirSync(`${leaf.path}/a`);
      writeFileSync(`${leaf.path}/a/cgroup.type`, 'threaded');
      writeFileSync(leaf.procs, String(child.pid));
      writeFileSync(`${leaf.path}/a/cgroup.threads`, String(child.pid));
      expect(whyNotStopped(`${leaf.path}/a`)).toBeNull();
      writeFileSync(leaf.procs, String(process.pid));
      writeFileSync(`${leaf.path}/a/cgroup.threads`, String(process.pid));
      expect(whyNotStopped(`${leaf.path}/a`)).toBe(HOLDS_US);
      expect(whyNotStopped(leaf.path)).toBe(HOLDS_US);
    } finally {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  });
});
