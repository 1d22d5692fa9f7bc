/** With too few descriptors left everything either works or fails with a coded error that says so, and leaves nothing. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { CgroupError } from '../../src/error/index.js';
import { findCgroup2Mount } from '../../src/host/index.js';
import { type Directories, directories, plainDirectories } from '../../src/kernel/directories.js';
import { createScope } from '../../src/scope/create.js';
import { removeEpisodeScope } from '../../src/scope/index.js';
import { removeScope } from '../../src/scope/remove.js';
import { INSTALLS } from '../support/cli.js';
import { Leaf } from '../support/leaf.js';

const noLeaf = Leaf.probe();
if (noLeaf !== null) console.log(`scopes with few descriptors are not tested here: ${noLeaf}`);

const mount = findCgroup2Mount() ?? '';
const slice = `episcope_test_${process.pid}_few.slice`;
const script = fileURLToPath(new URL('./few-descriptors.mjs', import.meta.url));
const run = promisify(execFile);

interface Told {
  readonly free: number;
  readonly result: 'ok' | { name: string; code: string; errno?: string; message: string };
  readonly left: { scopes: string[]; descriptors: number; children: number };
}

async function withFew(env: object, what: string, launcher: string): Promise<Told[]> {
  const limited = 'ulimit -n 96; exec "$0" "$@"';
  const { stdout } = await run(
    '/bin/sh',
    ['-c', limited, process.execPath, script, what, slice, launcher],
    {
      env: { ...process.env, NODE_OPTIONS: '', ...env },
    },
  );
  return JSON.parse(stdout) as Told[];
}

afterEach(async () => {
  for (const id of ['few', 'kept']) {
    await removeEpisodeScope(id, { slice, kill: true }).catch(() => {});
  }
});

const ACTS: [string, string][] = [
  ['spawn', 'helper'],
  ['held', 'helper'],
  ['spawn', 'perl'],
  ['held', 'perl'],
  ['spawn', 'sh'],
  ['create', ''],
  ['remove', ''],
  ['find', ''],
  ['clean', ''],
  ['available', ''],
];

describe.skipIf(noLeaf !== null).each(INSTALLS)('with few descriptors left, $name,', ({ env }) => {
  const acts = ACTS.filter(([, by]) => by !== 'helper' || !('NODE_OPTIONS' in env));
  test.each(acts)('%s (%s) works or is told as what it is', async (what, by) => {
    const told = await withFew(env, what, by);
    expect(told.at(-1)?.result).toBe('ok');
    for (const { free, result, left } of told) {
      expect(left, `${free} left`).toEqual({ scopes: [], descriptors: 0, children: 0 });
      if (result === 'ok') continue;
      expect(result, `${free} left`).toMatchObject({
        code: expect.stringMatching(/^ERR_/),
        errno: 'EMFILE',
      });
      expect(result.message).toContain('EMFILE');
    }
    expect(existsSync(`${mount}/${slice}`)).toBe(false);
  });
});

/** The n-th open fails, and only that. */
function failingAt(real: Directories, nth: number, errno: number): Directories {
  let opens = 0;
  const opened = (open: () => number) => {
    opens += 1;
    return opens === nth ? -errno : open();
  };
  return {
    ...real,
    openRoot: (path) => opened(() => real.openRoot(path)),
    openChild: (fd, name) => opened(() => real.openChild(fd, name)),
  };
}

describe.skipIf(noLeaf !== null).each([
  ['an xattr', directories()],
  ['a marker directory', plainDirectories],
])('of a scope marked by %s', (_, real) => {
  test.each(['EMFILE', 'ENFILE', 'ENOMEM'] as const)(
    'whichever open fails with %s, it is told, and nothing is left',
    async (name) => {
      const before = readdirSync('/proc/self/fd').length;
      let failures = 0;
      for (let nth = 1; ; nth += 1) {
        const access = failingAt(real, nth, constants.errno[name]);
        let failure: unknown = null;
        try {
          const scope = await createScope('nth', mount, { slice, directories: access });
          await removeScope(scope, { kill: true });
        } catch (cause) {
          failure = cause;
        }
        expect(existsSync(`${mount}/${slice}`), `open ${nth}`).toBe(false);
        expect(readdirSync('/proc/self/fd').length).toBe(before);
        if (failure === null) break;
        failures += 1;
        expect(failure).toBeInstanceOf(CgroupError);
        expect(failure).toMatchObject({ code: 'ERR_CGROUP_READ', errno: name });
      }
      expect(failures).toBeGreaterThanOrEqual(3);
    },
  );
});
