/** Without /proc nothing is known of the mounts and the processes: that is what is said, and no cause is made up. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findCgroup2Mount } from '../../src/host/index.js';
import { CLI, INSTALLS } from '../support/cli.js';

const mount = findCgroup2Mount() ?? '/sys/fs/cgroup';
const script = fileURLToPath(new URL('./no-proc.mjs', import.meta.url));
const HIDDEN = ['--mount', 'sh', '-ec', 'umount -l /proc; exec "$@"', 'sh'];

const probe = spawnSync('unshare', [...HIDDEN, 'true'], { encoding: 'utf8' });
const reason = probe.status === 0 ? null : `/proc cannot be unmounted: ${probe.stderr}`;
if (reason !== null) console.log(`a host without /proc is not tested here: ${reason}`);

function run(env: object, ...args: string[]): { stdout: string; stderr: string; status: number } {
  const { stdout, stderr, status } = spawnSync('unshare', [...HIDDEN, process.execPath, ...args], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    encoding: 'utf8',
  });
  return { stdout, stderr, status: status ?? -1 };
}

const UNKNOWN =
  /whether a cgroup2 is mounted is not known: \/proc\/self\/mountinfo cannot be read \(ENOENT\)/;

describe.skipIf(reason !== null).each(INSTALLS)('without /proc, $name', ({ env }) => {
  test('scopes and readers say that it is missing, and no process is said to be gone', () => {
    const said = JSON.parse(run(env, script, mount).stdout);
    const unavailable = {
      code: 'ERR_CGROUP_NOT_AVAILABLE',
      message: expect.stringMatching(UNKNOWN),
    };
    expect(said).toMatchObject({
      create: unavailable,
      createAt: { code: 'ERR_PROC_NOT_AVAILABLE', message: expect.stringContaining('no procfs') },
      spawn: unavailable,
      remove: unavailable,
      reader: unavailable,
      js: { code: 'ERR_CGROUP_READ' },
      alive: true,
    });
  });

  test('doctor has no tier to offer, and run refuses', () => {
    expect(JSON.parse(run(env, CLI, 'doctor', '--json').stdout)).toMatchObject({
      tier: null,
      no_cgroup2: expect.stringMatching(UNKNOWN),
    });
    const text = run(env, CLI, 'doctor').stdout;
    expect(text).toMatch(/cgroups +whether a cgroup2 is mounted is not known/);
    expect(text).not.toContain('none mounted');
    const { status, stderr } = run(env, CLI, 'run', '--tier', 'leaf', '--', 'true');
    expect(status).toBe(125);
    expect(stderr).toMatch(UNKNOWN);
  });
});
