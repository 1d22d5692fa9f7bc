/** A run whose start stalls is ended by a signal, and leaves nothing. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
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
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findCgroup2Mount } from '../../src/host/index.js';
import { CLI, INSTALLS, until } from '../support/cli.js';
import { Leaf } from '../support/leaf.js';

const mount = findCgroup2Mount() ?? '';
const part = `${mount}/episcope-test-${process.pid}-frozen`;
const slice = `${part}/episcope.slice`;

function why(): string | null {
  const noLeaf = Leaf.probe();
  if (noLeaf !== null) return noLeaf;
  const { status, error } = spawnSync('unshare', ['-m', 'true']);
  return status === 0 ? null : (error?.message ?? 'no mount namespace can be made');
}
const not = why();
if (not !== null) console.log(`stalled runs are not tested here: ${not}`);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'episcope-stalled-'));
  if (not === null) {
    mkdirSync(slice, { recursive: true });
    writeFileSync(`${slice}/cgroup.freeze`, '1');
  }
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  if (not !== null) return;
  writeFileSync(`${slice}/cgroup.freeze`, '0');
  writeFileSync(`${slice}/cgroup.kill`, '1');
  await until('nothing alive in the slice', () =>
    readFileSync(`${slice}/cgroup.events`, 'utf8').includes('populated 0'),
  );
  for (const name of scopesIn()) rmdirSync(`${slice}/${name}`);
  rmdirSync(slice);
  rmdirSync(part);
});

const scopesIn = () => readdirSync(slice).filter((name) => name.endsWith('.scope'));

/** In a mount namespace in which the frozen slice is the one that everybody uses. */
function runFrozen(env: object, command: readonly string[]): ChildProcess {
  const script = 'mkdir "$1/cg"; mount --bind "$2" "$1/cg"; umount -l "$3"; shift 3; exec "$@"';
  const run = [process.execPath, CLI, 'run', '--scope', 'direct', '--', ...command];
  return spawn('unshare', ['-m', 'sh', '-c', script, 'sh', folder, part, mount, ...run], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
}

describe.skipIf(not !== null).each(INSTALLS)('in a slice that is frozen, $name,', ({ env }) => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const)(
    'a run is ended by %s, with nothing left',
    { timeout: 60_000 },
    async (signal, status) => {
      const never = join(folder, 'never');
      const child = runFrozen(env, ['touch', never]);
      let told = '';
      child.stderr!.on('data', (chunk) => {
        told += String(chunk);
      });
      const end = new Promise((resolve) => child.once('close', (...how) => resolve(how)));
      try {
        await until('its launcher inside', () => {
          const [scope] = scopesIn();
          if (scope === undefined) return false;
          return readFileSync(`${slice}/${scope}/cgroup.procs`, 'utf8') !== '';
        });
        child.kill(signal);
        expect(await end).toEqual([status, null]);
      } finally {
        child.kill('SIGKILL');
      }
      expect(told).toBe(`episcope: ended by ${signal} before the command ran\n`);
      expect(scopesIn()).toEqual([]);
      expect(existsSync(never)).toBe(false);
    },
  );
});
